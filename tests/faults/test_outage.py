"""MongoDB is away under load, suspended and then killed: nothing is parked, all is caught up, no alert stays."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from acme.ports import event_log
from projections.alerting import snapshot
from projections.registry import PROJECTIONS
from projections.runtime.bulk import Unwritable
from projections.runtime.fold import Fold
from projections.runtime.writer import Writer
from tests.faults.alerted import Alerted, told_once
from tests.faults.processes import LONG, letters, projector, works
from tests.faults.traffic import Traffic, stocked
from tests.integration.projections.conftest import Shop, wait_until

NAMES = ("products", "sales_by_day")
AWAY = 60.0 if LONG else 5.0  # seconds
PATIENCE = 20.0 if LONG else 2.0  # until somebody is told of an engine that is away
OUTAGE = "read-store:unreachable"
IMPATIENT = {"socketTimeoutMS": 300, "connectTimeoutMS": 300, "serverSelectionTimeoutMS": 600}


@pytest.mark.timeout(600)
def test_an_outage_of_mongodb_parks_nothing(shop: Shop, alerted: Alerted, monkeypatch: pytest.MonkeyPatch) -> None:
    if not LONG:
        monkeypatch.setattr(snapshot, "READ_SECONDS", 1.0)
    good = stocked(shop, [f"G{number}" for number in range(50)])
    with projector(shop, *NAMES, "--healthy") as worker, Traffic(shop, good) as traffic:
        works(shop, worker, *NAMES)
        traffic.all_seen()
        alerted.begin(ACME_ALERT_UNREACHABLE_SECONDS=f"{PATIENCE:g}")
        for number, how in enumerate((suspended, killed), start=1):
            begun, before = time.monotonic(), traffic.commands
            how(shop, AWAY)
            back = time.monotonic()
            assert traffic.commands - before > AWAY, "commands go on"
            waiting = len(traffic.seen(since=begun).unseen)
            traffic.all_seen(60)
            caught_up = time.monotonic() - back
            print(f"{how.__name__} for {back - begun:.0f} s: {waiting} events waited, current {caught_up:.1f} s later")
            told_once(alerted, OUTAGE, *["open", "over"] * number)
        wait_until(lambda: not alerts_stand(shop), 60)
        print(f"afterwards: {traffic.stays_current(1.0, 5)}")
        assert {OUTAGE} <= alerted.causes <= allowed(), alerted.causes
        assert all(said[-1] == "over" for cause in alerted.causes for said in alerted.told(cause).values())
        assert worker.poll() is None, "it waited the outage out"
        traffic.__exit__()
        shop.settled(*NAMES)
        nothing_is_parked(shop)


def suspended(shop: Shop, seconds: float) -> None:
    """SIGSTOP: connections stay, and nobody answers."""
    os.kill(shop.mongo.pid or 0, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(shop.mongo.pid or 0, signal.SIGCONT)


def killed(shop: Shop, seconds: float) -> None:
    """SIGKILL: what it had acknowledged last may be lost as well."""
    shop.mongo.kill()
    time.sleep(seconds)
    shop.mongo.start()


def allowed() -> set[str]:
    """After a minute away the projections are a minute behind, and somebody may be told until they have caught up."""
    return {OUTAGE, *(f"lag:{name}" for name in NAMES if LONG)}


def alerts_stand(shop: Shop) -> int:
    """Causes that hold, or of which nobody was told yet that they are over."""
    found: int = shop.store["projection_alerts"].count_documents({"closed_at": {"$exists": False}})
    return found


def nothing_is_parked(shop: Shop) -> None:
    """The check: an engine's failure is nobody's dead letter."""
    parked = {name: letters(shop, name) for name in NAMES}
    assert not any(parked.values()), f"parked: {parked}"
    assert shop.store["projection_stopped"].count_documents({}) == 0


def test_defect_an_outage_is_the_fault_of_the_events(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """MongoDB sleeps in the middle of a batch; a writer that takes the time-out for a refusal parks the events."""
    original, outages = Writer.write, []

    def sleepy(self: Writer, fold: Fold, *then: Any) -> None:
        if outages or not fold.sections:
            return original(self, fold, *then)
        outages.append(True)
        os.kill(shop.mongo.pid or 0, signal.SIGSTOP)
        try:
            return original(self, fold, *then)
        except PyMongoError as error:
            os.kill(shop.mongo.pid or 0, signal.SIGCONT)
            raise Unwritable({state.aggregate: error for state in fold.sections.values()}) from error

    monkeypatch.setattr(Writer, "write", sleepy)
    shop.client.close()
    shop.client = MongoClient(shop.mongo.url, tz_aware=True, w="majority", **IMPATIENT)
    shop.store = shop.client["acme"]
    shop.worker("products")
    stocked(shop, [f"G{number}" for number in range(5)])
    shop.publish()
    wait_until(lambda: outages and reached_the_end(shop))
    with pytest.raises(AssertionError, match="parked"):
        nothing_is_parked(shop)


def reached_the_end(shop: Shop) -> bool:
    """All events of the projection's topics are behind the checkpoints."""
    with suppress(PyMongoError):
        applied = sum(row["sequence"] for row in shop.store["projection_checkpoints"].find({"projection": "products"}))
        heads = event_log().heads(PROJECTIONS["products"].topics)
        return applied == sum(head.sequence for head in heads) > 0
    return False
