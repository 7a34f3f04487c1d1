"""The verdict of a campaign and its plan, without a shop: what is wrong must make it fail."""

from __future__ import annotations

import random

import pytest

from tests.faults.campaign.account import Account, Fault
from tests.faults.campaign.kinds.registry import KINDS
from tests.faults.campaign.plan import long_plan, short_plan
from tests.faults.test_campaign import AT_LEAST_KINDS, SHORT_SECONDS


def account(faults: int = 3) -> Account:
    return Account(planned=3, faults=[Fault(kind="kill", waiting=2, seconds=1.0) for _ in range(faults)])


def test_it_passes_when_nothing_is_wrong() -> None:
    made = account()
    made.verdict()
    assert made.line == "faults 3, lost 0, twice 0, differing 0"
    assert made.table().splitlines()[1].split() == ["kill", "3", "6", "3.0"]


@pytest.mark.parametrize(
    ("faults", "wrong", "line"),
    [
        (2, {}, "faults 2, .*3 faults were planned"),
        (3, {"lost": {"an order"}}, "lost 1, .*an order"),
        (3, {"twice": {"an order"}}, "twice 1, .*an order"),
        (3, {"differing": {"log: products": ["missing: one"]}}, "differing 1: .*missing: one"),
    ],
)
def test_it_fails_when_anything_is(faults: int, wrong: dict[str, set[str]], line: str) -> None:
    made = account(faults)
    for name, value in wrong.items():
        setattr(made, name, value)
    with pytest.raises(AssertionError, match=line):
        made.verdict()


def test_a_long_plan_has_every_kind_and_a_seed_repeats_it() -> None:
    first, again = (long_plan(KINDS, 200, random.Random(5)) for _ in range(2))
    assert first == again != long_plan(KINDS, 200, random.Random(6))
    assert len(first) == 200
    assert set(first) == set(KINDS)
    assert len(KINDS) >= AT_LEAST_KINDS


@pytest.mark.parametrize("seed", range(20))
def test_a_short_plan_keeps_to_its_time(seed: int) -> None:
    plan = short_plan(KINDS, SHORT_SECONDS, random.Random(seed))
    assert 4 <= len(plan) == len(set(plan))
    assert sum(kind.seconds for kind in plan) <= SHORT_SECONDS
    assert [kind.early for kind in plan] == sorted((kind.early for kind in plan), reverse=True)
