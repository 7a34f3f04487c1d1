"""The campaign of faults: nothing lost, nothing counted twice, every document as the log and the tables say.

`make faults` runs 200 faults; `make test` as many kinds as fit into its time. The moments and the order are random,
from a printed seed (ACME_FAULT_SEED repeats a run; ACME_FAULT_KINDS and ACME_FAULT_COUNT choose).
"""

from __future__ import annotations

import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from acme.devstack.home import Home
from tests.conftest import SAID
from tests.faults.campaign import restored
from tests.faults.campaign.campaign import Campaign
from tests.faults.campaign.kinds.registry import KINDS
from tests.faults.campaign.plan import Kind, long_plan, seed_of_this_run, short_plan
from tests.faults.campaign.progress import projections
from tests.faults.campaign.restored import wait
from tests.faults.campaign.shop import OpenShop, open_shop
from tests.faults.defective import COUNTED
from tests.faults.load import Load
from tests.faults.processes import LONG

SHORT_SECONDS = 50.0
AT_LEAST_KINDS = 12  # of a long campaign


@pytest.fixture(scope="module")
def shop() -> Iterator[OpenShop]:
    """One for all: a start takes long. Its home is not a `tmp_path`, because PostgreSQL's user must enter it."""
    home = Home(Path(tempfile.mkdtemp(prefix="acme-faults-")))
    with open_shop(home) as opened:
        yield opened
    shutil.rmtree(home.root, ignore_errors=True)


def plan_of(moments: random.Random) -> list[Kind]:
    """As long as asked for; a choice of kinds by ACME_FAULT_KINDS is for looking into one."""
    only = os.environ.get("ACME_FAULT_KINDS", "")
    kinds = [kind for kind in KINDS if any(part in kind.name for part in only.split(","))]
    if not LONG:
        return short_plan(kinds, SHORT_SECONDS, moments)
    plan = long_plan(kinds, int(os.environ.get("ACME_FAULT_COUNT", "200")), moments)
    assert only or len({kind.name for kind in plan}) >= AT_LEAST_KINDS
    return plan


@pytest.mark.timeout(1800)
def test_a_restored_postgresql_is_noticed_and_there_is_a_way_out(shop: OpenShop) -> None:
    """Before the campaign, which goes on in a later epoch of the log then, and whose long log this need not read."""
    before = restored.put_back(shop, seed=7)
    wait(lambda: restored.halted(shop), "the publisher is halted")
    with Load(shop, seed=9) as meanwhile:  # commands go on
        wait(lambda: "publisher:halted" in restored.alerts(shop), "an alert says so")
    assert not meanwhile.errors, meanwhile.errors
    restored.way_out(shop)
    restored.equal_again(shop, before | meanwhile.orders)
    wait(lambda: not restored.halted(shop) and not restored.diverged(shop), "nobody is stopped any more")


@pytest.mark.skipif(not LONG, reason="it takes a minute; tests/model has the same in memory")
@pytest.mark.timeout(1800)
def test_a_restore_that_kafka_cannot_tell_is_noticed_by_the_read_models(shop: OpenShop) -> None:
    """The broker is empty too, so nothing is halted; the checkpoints alone know of events that the log has not."""
    before = restored.put_back(shop, seed=17, broker_too=True)
    for name in ("orders", "sales_by_day", "positions"):
        wait(lambda name=name: name in restored.diverged(shop), f"{name} stops")
    wait(lambda: "epoch:orders" in restored.alerts(shop), "an alert says so")
    restored.way_out(shop)
    restored.equal_again(shop, before)


@pytest.mark.timeout(3600)
def test_nothing_is_lost_counted_twice_or_different(shop: OpenShop, record_property: Callable[..., None]) -> None:
    seed = seed_of_this_run()
    moments = random.Random(seed)
    plan = plan_of(moments)
    campaign = Campaign(shop, seed, len(plan))
    try:
        with campaign:
            campaign.run(plan)
        campaign.finish(leases_end_at_once=not LONG)
    finally:
        print(campaign.account.table())
        record_property(SAID, f"campaign, seed {seed}: {campaign.account.line}")
    campaign.account.verdict()


@pytest.mark.skipif(not LONG, reason="it takes a minute; the verdict itself has tests of its own")
def test_defect_counters_without_fences(shop: OpenShop) -> None:
    """A worker killed between documents and checkpoint applies its batch again; only the fences keep it from counting
    twice. It is killed where it is known to be there: a kill at any time would meet it by chance."""
    healthy = ("-m", "tests.faults.defective", *projections(shop.urls), "--healthy")
    shop.exchange("projector-1", (sys.executable, *healthy, "--no-fence"))
    kill = Kind(name="kill -9 after counting", strike=killed_after_counting)
    with Campaign(shop, 5, planned=2) as campaign:
        campaign.run([kill] * 2)
    shop.exchange("projector-1")  # which catches up, at its usual pace
    campaign.finish(patience=40)
    with pytest.raises(AssertionError, match=r"faults 2, lost 0, twice \d+, differing [1-9].*sales_by_day"):
        campaign.account.verdict()


def killed_after_counting(campaign: Campaign) -> None:
    """Once it says so again. Only the end of the log is read, which a campaign before may have made long."""
    log, said = campaign.shop.home.log("projector-1"), COUNTED.format("sales_by_day").encode()
    with log.open("rb") as written:
        written.seek(0, os.SEEK_END)
        wait(lambda: any(said in line for line in written), "sales are counted")
    campaign.shop.kill9("projector-1")
