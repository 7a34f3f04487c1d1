"""Thousands of parked events and a mass retry that is killed twice: nothing lost, nothing twice, order kept."""

from __future__ import annotations

import time
from typing import Any

import pytest

from projections.registry import PROJECTIONS
from projections.runtime import requests
from projections.runtime.documents import Overtaken
from projections.runtime.letterbox import Selection
from projections.runtime.recovery import Recovery
from projections.runtime.writes import CounterState
from tests.faults.alerted import Alerted, told_once
from tests.faults.defective import LINGERS, POISON, defective
from tests.faults.processes import LONG, Asked, calmly, ended, letters, output_of, projector, works
from tests.faults.traffic import Traffic, current_within, priced, sold, stocked
from tests.integration.projections.conftest import Shop, wait_until

NAMES = ("products", "sales_by_day")
SHORT_ONES, LONG_ONES = (300, 6) if LONG else (40, 3)  # aggregates
EACH, EACH_LONG, SALES = (12, 600, 2300) if LONG else (10, 200, 150)  # events of each; orders
GOOD = 50
SLOWLY = "0" if LONG else "0.15"  # seconds for a hundred: so few letters would be gone before the kill
MEASURABLE = 2.0  # seconds; the short form may be over when the last worker has all of its partitions
RETRY = ("--all", "--yes", "--no-canary", "--wait", "120")


@pytest.mark.timeout(900)
def test_a_mass_retry_that_is_killed_twice(shop: Shop, alerted: Alerted) -> None:
    good = stocked(shop, [f"G{number}" for number in range(GOOD)])
    with projector(shop, *NAMES) as broken:
        works(shop, broken, *NAMES)
        # A look at ten thousand letters takes the embedded server a quarter of a second.
        alerted.begin(every=5.0 if LONG else 1.0)
        total = parked_in_masses(shop)
        for name in NAMES:
            told_once(alerted, f"dead-letters:{name}", "open")
        ended(broken)
    asked: dict[str, Asked] = {}
    with Traffic(shop, good) as traffic:
        with projector(shop, *NAMES, "--healthy", "--linger", SLOWLY) as first:
            works(shop, first, *NAMES)
            traffic.all_seen()
            begun = time.monotonic()
            asked = {name: Asked(shop, "dlq", "retry", name, *RETRY) for name in NAMES}
            calmly(lambda: all(letters(shop, name) < total[name] * 0.8 for name in NAMES), 120)
            meanwhile = [traffic.seen(since=begun, until=time.monotonic() - 1)]
            first.kill()
        half_way(shop, total)

        with projector(shop, *NAMES, "--healthy", "--linger", "0.3") as second:
            wait_until(lambda: output_of(second).count(LINGERS) >= 3, 60)
            second.kill()
        half_way(shop, total)

        with projector(shop, *NAMES, "--healthy") as third:
            works(shop, third, *NAMES)
            begun, left = time.monotonic(), sum(letters(shop, name) for name in NAMES)
            for name, command in asked.items():
                done = command.wait(300)
                assert (done.code, done.json["request"]["done"]) == (0, total[name]), done
            over = time.monotonic()
            assert not any(letters(shop, name) for name in NAMES)
            for name in NAMES:
                told_once(alerted, f"dead-letters:{name}", "open", "over")
            if over - begun > MEASURABLE:
                meanwhile.append(traffic.seen(since=begun, until=over))
            print(f"{sum(total.values())} letters, the last {left} in {over - begun:.1f} s")
            traffic.all_seen()
            traffic.__exit__()
            equal_to_a_replay(shop, *NAMES)
    for seen in meanwhile:
        print(f"others, while letters are retried: {seen}")
        current_within(others_wait(shop), seen)


def parked_in_masses(shop: Shop) -> dict[str, int]:
    """Prices of many products and of some that change often, and sales of both; answers how many letters there are."""
    short = stocked(shop, [f"{POISON}-S{number}" for number in range(SHORT_ONES)])
    often = stocked(shop, [f"{POISON}-L{number}" for number in range(LONG_ONES)])
    expected = len(short) * 2 + len(often) * 2  # of each product its first price, and that it was published
    expected += priced(short, EACH) + priced(often, EACH_LONG)
    skus = [sku for _, sku in (*short, *often)]
    sold([skus[number % len(skus)] for number in range(SALES)])
    shop.publish()
    calmly(lambda: (letters(shop, "products"), letters(shop, "sales_by_day")) == (expected, SALES), 120)
    return {"products": expected, "sales_by_day": SALES}


def others_wait(shop: Shop) -> float:
    """Seconds that events of others may take meanwhile: one.

    But the wheel's server is one Python process, busy with itself: letters are then counted by alerts, by two commands
    and by this test. Where it stands in the way, `secantusd-rs` or MongoDB on PATH are measured.
    """
    if not shop.mongo.engine.where.startswith("wheel"):
        return 1.0
    return 5.0


def half_way(shop: Shop, total: dict[str, int]) -> None:
    """The kill has come between the first letter and the last."""
    left = sum(letters(shop, name) for name in total)
    print(f"killed with {left} of {sum(total.values())} letters left")
    assert 0 < left < sum(total.values())


def equal_to_a_replay(shop: Shop, *names: str, seconds: float = 20) -> None:
    """The check: documents and counters are what the log makes, and nothing is parked or stopped."""
    shop.settled(*names, seconds=seconds)
    assert shop.store["projection_stopped"].count_documents({}) == 0
    assert shop.store["projection_dead_letters"].count_documents({}) == 0


def test_defect_a_retry_forgets_what_it_has_counted(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the guard in ``late``, a retry that breaks off after its documents counts them twice."""
    guarded, moving, broken_off = CounterState.late_update, Recovery._move_checkpoints, []

    def unguarded(self: CounterState, names: list[str]) -> Any:
        update = guarded(self, names)
        update._filter.pop("late_revision")
        update._doc.pop("$push", None)
        return update

    def breaks_off_once(self: Recovery, aggregates: Any) -> None:
        if not broken_off:
            broken_off.append(True)
            raise Overtaken("as after a kill")
        moving(self, aggregates)

    defect = {POISON}
    stocked(shop, [POISON])
    sold([POISON] * 3)
    shop.publish()
    shop.worker("sales_by_day", projection=defective(PROJECTIONS["sales_by_day"], defect.__contains__))
    wait_until(lambda: letters(shop, "sales_by_day") >= 3)
    defect.clear()
    monkeypatch.setattr(CounterState, "late_update", unguarded)
    monkeypatch.setattr(Recovery, "_move_checkpoints", breaks_off_once)
    asked = requests.ask_retry(shop.store, "sales_by_day", Selection(everything=True), by="tests")
    assert requests.wait(shop.store, asked.id, seconds=20).finished
    with pytest.raises(AssertionError, match="differs"):
        equal_to_a_replay(shop, "sales_by_day", seconds=3)
