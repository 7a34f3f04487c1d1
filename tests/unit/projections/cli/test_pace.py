"""Rate and time to catch up, from made-up looks."""

from __future__ import annotations

from typing import Any

import pytest

from projections.cli.pace import SECONDS, Measurement


def row(*, applied: int, waiting: int, generation: int = 1, lag: str = "known") -> dict[str, Any]:
    stages = {"unnumbered": 0, "unacknowledged": 0, "unprojected": waiting}
    return {"generation": generation, "applied": applied, "lag": lag, **stages}


def test_the_first_look_measures_nothing() -> None:
    pace = Measurement().add(row(applied=100, waiting=50), 10.0)
    assert (pace.rate, pace.catch_up, pace.trend) == (None, None, "measuring")


@pytest.mark.parametrize(
    ("applied", "waiting", "rate", "catch_up", "trend"),
    [
        (120, 40, 10.0, 8.0, "shrinking"),  # 20 applied and 10 new ones in 2 s: 5/s less, 40 left
        (120, 50, 10.0, None, "steady"),
        (120, 70, 10.0, None, "growing"),
        (100, 50, 0.0, None, "steady"),
        (150, 0, 25.0, 0.0, "caught up"),
    ],
)
def test_two_looks(applied: int, waiting: int, rate: float, catch_up: float | None, trend: str) -> None:
    measurement = Measurement()
    measurement.add(row(applied=100, waiting=50), 10.0)
    pace = measurement.add(row(applied=applied, waiting=waiting), 12.0)
    assert (pace.rate, pace.catch_up, pace.trend) == (rate, catch_up, trend)


def test_old_looks_are_forgotten() -> None:
    measurement = Measurement()
    measurement.add(row(applied=0, waiting=1000), 0.0)
    for second in range(1, 100):
        pace = measurement.add(row(applied=100, waiting=900), float(second))
    assert SECONDS < 90 and (pace.rate, pace.trend) == (0.0, "steady")


def test_looks_far_apart_are_measured_all_the_same() -> None:
    measurement = Measurement()
    measurement.add(row(applied=0, waiting=1000), 0.0)
    assert measurement.add(row(applied=600, waiting=400), 600.0).rate == 1.0


def test_a_reset_begins_anew() -> None:
    measurement = Measurement()
    measurement.add(row(applied=5000, waiting=10), 0.0)
    assert measurement.add(row(applied=0, waiting=5010, generation=2), 2.0).trend == "measuring"
    assert measurement.add(row(applied=10, waiting=5000, generation=2), 4.0).catch_up == 1000.0


def test_what_nobody_reports_is_unknown_and_not_caught_up() -> None:
    assert Measurement().add(row(applied=5, waiting=0, lag="unknown"), 0.0).trend == "unknown"
