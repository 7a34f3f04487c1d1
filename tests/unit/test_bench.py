"""What benchmarks make of their rounds: ratios, goals, and the section of the README."""

from __future__ import annotations

from typing import Any

import pytest

from tests.bench.measure import Measured, Took, ratio_of
from tests.bench.measures import MEASURES
from tests.bench.report import check, markdown


def took(*rates: float) -> list[Took]:
    return [Took(units=1000, seconds=1000 / rate, cpu=0.01) for rate in rates]


def measured(**more: Any) -> Measured:
    return Measured(**{"name": "P1", "what": "this", "against": "that", "spread": (1.0, 2.0), "goal": 1.5, **more})


def run(**more: Any) -> dict[str, Any]:
    """A result file with one measure."""
    one = {
        **measured(ratio=1.6, notes="To be known.").as_json(),
        "engines": {"MONGODB_URL": "/bin/mongod", "mongodb": "8"},
    }
    machine = {"cores": 2, "cpu": "a", "memory_gib": 24}
    return {"P1": one, "_run": {"at": "2026-11-29T12:00:00", "machine": machine, "scale": 1.0, "rounds": 5, **more}}


def test_ratios_are_those_of_rounds() -> None:
    """Not of medians: a round in which the machine was slow was slow for both."""
    ratio, spread = ratio_of({"ours": took(10, 200, 30), "theirs": took(10, 100, 10)}, "ours", "theirs")
    assert ratio == pytest.approx(2)
    assert spread == pytest.approx((1, 3))


@pytest.mark.parametrize(
    ("better", "ratio", "also", "ok"),
    [("higher", 1.5, True, True), ("higher", 1.49, True, False), ("lower", 1.5, True, True),
     ("lower", 1.51, True, False), ("lower", 1.0, False, False)],
)  # fmt: skip
def test_a_goal_is_reached_with_all_that_belongs_to_it(better: str, ratio: float, also: bool, ok: bool) -> None:
    assert measured(ratio=ratio, better=better, also=also).as_json()["ok"] is ok


def test_the_section_of_the_readme_says_what_is_to_be_known() -> None:
    text = markdown(run())
    assert "| P1 | this | that | 1.60 (1.00 to 2.00) | ≥ 1.5 | reached |" in text
    assert "- P1: To be known." in text
    assert [line for line in text.splitlines() if line.endswith("not measured")] == [
        f"- {name}: not measured" for name in MEASURES if name != "P1"
    ]
    assert "Engines: MongoDB: mongod; mongodb 8." in text


@pytest.mark.parametrize("more", [{"scale": 0.5}, {"rounds": 2}])
def test_a_quick_look_is_not_published(more: dict[str, Any]) -> None:
    check(run())
    with pytest.raises(SystemExit):
        check(run(**more))
    with pytest.raises(SystemExit, match="nothing was measured"):
        check({"_run": run()["_run"]})
