"""The states of a projection in words: the worst first, each with what an operator should know."""

from __future__ import annotations

from typing import Any

import pytest
from rich.console import Console

from projections.cli.state import notes, states, wants_somebody, working
from projections.cli.state_tables import lag_table
from projections.cli.words import ago, plain, short

WORKER = {"host": "h", "pid": 1, "state": "running", "detail": "", "partitions": [], "blocked": []}
HEALTHY: dict[str, Any] = {
    "projection": "products",
    "generation": 1,
    "lag": "known",
    "unnumbered": 0,
    "unacknowledged": 0,
    "unprojected": 0,
    "stopped_aggregates": 0,
    "seconds": 0.0,
    "rebuild_due": False,
    "applied": 7,
    "stopped": [],
    "workers": [WORKER],
}
PAUSED = {"by": "ana", "reason": "", "at": "2026-01-01T00:00:00Z"}
BUILDING = {
    "generation": 2, "source": "log", "by": "ana", "at": "2026-01-01T00:00:00Z", "applied": 5, "in_work": True
}  # fmt: skip
GAP = {"topic": "acme.catalog", "partition": 3, "kind": "gap", "why": "nobody has 17 to 19", "since": None}


@pytest.mark.parametrize(
    ("changed", "words", "finding"),
    [
        ({}, ["running"], False),
        ({"workers": []}, ["not running"], True),
        ({"workers": [], "was_run": False}, ["never run"], False),
        ({"workers": [], "paused": PAUSED}, ["paused", "not running"], False),
        ({"parked": 3, "parked_seconds": 60.0}, ["parked", "running"], True),
        ({"gapped": 1}, ["gapped", "running"], False),
        ({"lag": "unknown", "workers": []}, ["not running"], True),
        ({"lag": "unknown"}, ["lag unknown", "running"], False),
        ({"paused": PAUSED}, ["paused"], False),
        ({"paused": PAUSED, "workers": [{**WORKER, "state": "paused"}]}, ["paused"], False),
        ({"workers": [{**WORKER, "state": "blocked", "blocked": [GAP]}]}, ["blocked"], True),
        ({"workers": [{**WORKER, "state": "hanging"}, WORKER]}, ["hanging", "running"], True),
        ({"workers": [{**WORKER, "state": "engine-down"}]}, ["engine-down"], False),
        ({"workers": [WORKER, {**WORKER, "state": "waiting for partitions"}]}, ["running"], False),
        ({"rebuild_due": True}, ["rebuild due", "running"], False),
        ({"rebuild_due": True, "building": BUILDING}, ["rebuilding", "running"], False),
        ({"building": {**BUILDING, "in_work": False}}, ["rebuild unfinished", "running"], False),
        ({"previous": {"generation": 1, "followed": True}}, ["running", "g1 kept"], False),
    ],
)
def test_states(changed: dict[str, Any], words: list[str], finding: bool) -> None:
    row = {**HEALTHY, **changed}
    assert [state.word for state in states(row)] == words
    assert wants_somebody(row) is finding


def test_why_a_partition_is_blocked_and_who_paused() -> None:
    row = {**HEALTHY, "workers": [{**WORKER, "state": "blocked", "blocked": [GAP]}]}
    assert notes(row) == ["products: acme.catalog[3] is blocked (gap): nobody has 17 to 19"]
    paused = notes({**HEALTHY, "paused": {**PAUSED, "reason": "index"}})
    assert paused == [f"products: paused by ana {ago(PAUSED['at'])}: index"]


def test_who_can_carry_something_out() -> None:
    assert working(HEALTHY)
    assert not working({**HEALTHY, "workers": [{**WORKER, "state": "hanging"}]})
    assert not working({**HEALTHY, "workers": []})


def test_large_numbers_still_fit_into_80_columns() -> None:
    large = {"unnumbered": 12_345, "unprojected": 1_234_567, "seconds": 900_000.0, "parked": 10_000}
    row = {**HEALTHY, **large, "projection": "sales_by_day", "parked_seconds": 86_000.0}
    console = Console(width=80)
    with console.capture() as captured:
        console.print(lag_table([row], wide=False))
    table = captured.get()
    assert "sales_by_day" in table and "1,234,567" in table and "(23.9 h)" in table
    assert max(len(line) for line in table.splitlines()) <= 80


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(None, "unknown"), (0.254, "0.25 s"), (59.6, "60 s"), (186, "3.1 min"), (7920, "2.2 h"), (277_000, "3.2 d")],
)
def test_short_times(seconds: float | None, said: str) -> None:
    assert short(seconds) == said


def test_control_characters_are_made_visible() -> None:
    assert plain("a\x1b[2Jb\x9b\r\n\tc") == "a\\x1b[2Jb\\x9b\\x0d\n\tc"
