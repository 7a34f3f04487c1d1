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
from tests.faults.campaign.campaign import Campaign
from tests.faults.campaign.kinds.registry import KINDS
from tests.faults.campaign.plan import long_plan, seed_of_this_run, short_plan
from tests.faults.campaign.shop import open_shop
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
