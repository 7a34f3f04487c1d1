"""The campaign of faults: nothing lost, nothing counted twice, every document as the log and the tables say.

`make faults` runs 200 faults; `make test` as many kinds as fit into its time. The moments and the order are random,
from a printed seed (ACME_FAULT_SEED repeats a run).
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from acme.devstack.home import Home
from tests.faults.campaign import restored
from tests.faults.campaign.account import differences
from tests.faults.campaign.campaign import Campaign
from tests.faults.campaign.kinds.registry import KINDS
from tests.faults.campaign.plan import long_plan, seed_of_this_run, short_plan
from tests.faults.campaign.progress import progress
from tests.faults.campaign.restored import wait
from tests.faults.campaign.shop import open_shop
from tests.faults.load import Load
from tests.faults.processes import LONG

FAULTS = int(os.environ.get("ACME_FAULT_COUNT", "200"))
SHORT_SECONDS = 45.0


@pytest.fixture(scope="module")
def home() -> Iterator[Home]:
    """Of both shops: the second start is on the data of the campaign. Not `tmp_path`: PostgreSQL's user must enter."""
    home = Home(Path(tempfile.mkdtemp(prefix="acme-faults-")))
    yield home
    if not os.environ.get("ACME_FAULT_KEEP"):
        shutil.rmtree(home.root, ignore_errors=True)


@pytest.mark.timeout(3600)
def test_faults(home: Home) -> None:
    seed = seed_of_this_run()
    moments = random.Random(seed)
    only = os.environ.get("ACME_FAULT_KINDS", "")
    kinds = [kind for kind in KINDS if only in kind.name]
    plan = long_plan(kinds, FAULTS, moments) if LONG else short_plan(kinds, SHORT_SECONDS, moments)
    with open_shop(home) as shop:
        campaign = Campaign(shop, seed, len(plan))
        try:
            with campaign:
                campaign.run(plan)
            campaign.finish()
        finally:
            print(campaign.account.table())
            print(campaign.account.line)
    campaign.account.verdict()


@pytest.mark.timeout(600)
def test_second_start_keeps_everything_and_a_restored_log_is_noticed(home: Home) -> None:
    with open_shop(home) as shop:
        wait(lambda: (found := progress(shop.urls)) is None or found.waiting == 0, "nothing waits after the start")
        assert differences(shop) == {}
        before = restored.put_back(shop, seed=7)
        wait(lambda: restored.halted(shop), "the publisher is halted")
        with Load(shop, seed=9) as meanwhile:  # commands go on
            wait(lambda: "publisher:halted" in restored.alerts(shop), "an alert says so")
        assert not meanwhile.errors, meanwhile.errors
        restored.way_out(shop)
        restored.equal_again(shop, before | meanwhile.orders)
        assert restored.alerts(shop) == set()
