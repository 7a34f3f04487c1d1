"""Which of several things an operator is told first, and how partitions are written."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from projections.admin.state import WorkerLine, decide, ranges, worker_line

NOW = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
GOOD = WorkerLine(
    who="a:1",
    state="running",
    detail="",
    partitions="acme.carts 0",
    blocked=(),
    events_per_second=0,
    seen_at=NOW,
    alive=True,
    works=True,
)
LOST = replace(GOOD, who="b:2", alive=False)
HANGING = replace(GOOD, who="c:3", state="hanging")
BLOCKED = replace(GOOD, blocked=("acme.carts[0] gap: 9 is missing",))
DOWN = replace(GOOD, state="engine-down", detail="MongoDB is away")
IDLE = replace(GOOD, partitions="", works=False)
PAUSED = {"by": "ann", "reason": "because", "at": NOW}


@pytest.mark.parametrize(
    ("paused", "workers", "kind", "said"),
    [
        ({}, [GOOD], "running", ""),
        ({}, [], "nobody", "no worker runs it"),
        ({}, [LOST], "hanging", "b:2 gives no sign of life"),
        ({}, [HANGING], "hanging", "c:3 gives no sign of life"),
        ({}, [GOOD, LOST], "running", "b:2 gives no sign of life; others have taken over"),
        ({}, [BLOCKED, GOOD], "blocked", "acme.carts[0] gap: 9 is missing"),
        ({}, [replace(BLOCKED, alive=False)], "hanging", "a:1 gives no sign of life"),
        ({}, [DOWN], "engine-down", "MongoDB is away"),
        ({}, [IDLE], "waiting", "its workers have no partitions yet"),
        ({}, [IDLE, GOOD], "running", ""),
        (PAUSED, [BLOCKED], "paused", "by ann: because"),
        (PAUSED, [], "paused", "by ann: because"),
    ],
)
def test_what_is_said_first(paused: dict[str, object], workers: list[WorkerLine], kind: str, said: str) -> None:
    state = decide(paused, workers)
    assert (state.kind, state.said) == (kind, said)


def test_a_worker_lives_while_its_lease_does() -> None:
    document = {"host": "a", "pid": 1, "seen_at": NOW, "lease_until": NOW + timedelta(seconds=1)}
    assert worker_line(document, NOW).alive
    assert not worker_line(document, NOW + timedelta(seconds=1)).alive


def test_partitions_are_written_as_ranges() -> None:
    streams = [("b", 1), ("a", 7), ("a", 0), ("a", 1), ("a", 2), ("a", 5)]
    assert ranges(streams) == "a 0–2, 5, 7; b 1"
    assert ranges([]) == ""
