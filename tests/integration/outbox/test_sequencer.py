"""The numbering statement: its numbers, and what it costs whatever PostgreSQL expects."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from django.db import connection

from commands.outbox import direct, sequencer
from commands.outbox.models import DomainEvent, StreamHead
from tests.integration.outbox.conftest import record_events

EVENTS = 1_000
#: Rows that the nodes of a plan may make for each event: it is read, ordered, joined with eight heads and updated. What
#: is grouped or read again for each event makes a thousand.
ROWS = 150

pytestmark = pytest.mark.usefixtures("shop_database")


def explained(planned: str) -> dict[str, Any]:
    """The plan of the numbering statement, prepared as the publisher has it, that is carried out."""
    statement = sequencer.NUMBER.replace("%s", "$1")
    with direct.connect("tests") as session:
        session.execute(f"SET plan_cache_mode = {planned}")
        session.execute(f"PREPARE numbering (bigint) AS {statement}")
        found = session.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE numbering ({EVENTS})").fetchone()
    plan: dict[str, Any] = (found or ())[0][0]["Plan"]
    return plan


def rows_made(plan: dict[str, Any]) -> float:
    """By all of its nodes, as often as they are carried out; with what was made and thrown away."""
    thrown = plan.get("Rows Removed by Join Filter", 0) + plan.get("Rows Removed by Filter", 0)
    own = (plan["Actual Rows"] + thrown) * plan["Actual Loops"]
    return float(own) + sum(rows_made(part) for part in plan.get("Plans", ()))


@pytest.mark.parametrize("planned", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("waiting", [0, EVENTS], ids=["nothing-waited", "a-backlog"])
def test_the_cost_is_in_proportion_to_the_events(waiting: int, planned: str) -> None:
    """Where nothing waited at the last ANALYZE, as it should be, PostgreSQL expects one event, and gets a thousand."""
    for _ in range(3):
        record_events(EVENTS)
    _number(3 * EVENTS)
    record_events(waiting)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE domain_event")
    record_events(EVENTS - waiting)
    made = rows_made(explained(planned))
    assert not DomainEvent.objects.filter(sequence=None).exists()
    assert EVENTS < made < ROWS * EVENTS


def test_numbers_are_dense_and_in_the_order_of_positions() -> None:
    for count in (7, 200, 1):
        record_events(count)
        _number(50)
    while _number(50):
        pass
    seen: dict[tuple[str, int], list[int]] = defaultdict(list)
    for topic, partition, sequence in DomainEvent.objects.order_by("position").values_list(
        "topic", "partition", "sequence"
    ):
        seen[topic, partition].append(sequence)
    assert sum(map(len, seen.values())) == 208
    for (topic, partition), sequences in seen.items():
        assert sequences == list(range(1, len(sequences) + 1))
        assert StreamHead.objects.get(topic=topic, partition=partition).sequence == len(sequences)


def _number(limit: int) -> int:
    with direct.connect("tests") as session:
        return sequencer.number(session, limit)
