"""A projector that is told to end in the middle of a batch finishes it: no document is ahead of its checkpoint."""

from __future__ import annotations

import signal
from typing import Any

import pytest

from acme.ports import event_log, subject_keys
from projections.registry import PROJECTIONS
from tests.faults.defective import LINGERS
from tests.faults.processes import output_of, projector
from tests.faults.traffic import sold, stocked
from tests.integration.projections.conftest import Shop, wait_until
from tests.oracle import differences, replay, stored

NAMES = ("products", "sales_by_day")


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "seeded defect"])
def test_ended_in_the_middle_of_a_batch(shop: Shop, end: signal.Signals) -> None:
    skus = [sku for _, sku in stocked(shop, [f"G{number}" for number in range(40)])]
    sold(skus)
    shop.publish()
    with projector(shop, *NAMES, "--healthy", "--dawdle", "1.5") as process:
        wait_until(lambda: output_of(process).count(LINGERS) >= 2, 60)
        wait_until(lambda: all(shop.store[f"{name}__g1"].find_one() for name in NAMES))
        process.send_signal(end)
        assert process.wait(30) == (0 if end == signal.SIGTERM else -signal.SIGKILL)
    ahead = {name: ahead_of_checkpoints(shop, name) for name in NAMES}
    if end == signal.SIGTERM:
        assert ahead == {name: [] for name in NAMES}
        assert shop.heartbeats("products") == shop.heartbeats("sales_by_day") == {}
    else:
        assert any(ahead.values())


def ahead_of_checkpoints(shop: Shop, name: str) -> list[str]:
    """What the documents say that the events up to the checkpoints do not, or the other way round."""
    applied: dict[Any, int] = {
        (row["topic"], row["partition"]): row["sequence"]
        for row in shop.store["projection_checkpoints"].find({"projection": name})
    }
    reader = event_log()
    log = [event for (topic, number), last in applied.items() for event in reader.read(topic, number, 1, last)]
    projection = PROJECTIONS[name]
    return differences(replay(projection, log, subject_keys().unseal), stored(shop.store, projection))
