"""A poison event for one product among thousands of good ones, from the alert to "it is over"."""

from __future__ import annotations

import itertools
import time

import pytest

from projections.alerting import book as book_module
from projections.registry import PROJECTIONS
from projections.runtime import fold, worker
from tests.faults.alerted import Alerted, told_once
from tests.faults.defective import POISON, defective
from tests.faults.processes import LONG, Asked, ask, ended, letters, projector, works
from tests.faults.traffic import Traffic, priced, sold, stocked
from tests.integration.projections.conftest import Shop, wait_until

NAMES = ("products", "sales_by_day")
GOOD, UNDER_LOAD = (400, 60.0) if LONG else (100, 5.0)  # products; seconds for which the others are watched


@pytest.mark.timeout(600)
def test_one_product_waits_and_all_others_are_current(shop: Shop, alerted: Alerted) -> None:
    good = stocked(shop, [f"G{number}" for number in range(GOOD)])
    priced(good, 20)
    with projector(shop, *NAMES) as broken, Traffic(shop, good) as traffic:
        works(shop, broken, *NAMES)
        traffic.all_seen()
        alerted.begin()
        alerted.some_checks(4)
        assert alerted.causes == set()

        (bad,) = stocked(shop, [POISON])
        priced([bad], 5)
        sold([POISON] * 5)
        wait_until(lambda: letters(shop, "products") >= 5 and letters(shop, "sales_by_day", held=False) >= 5)
        seen = traffic.stays_current(1.0, UNDER_LOAD, disturb=lambda: priced([bad], 5))
        print(f"others, while {letters(shop, 'products')} and {letters(shop, 'sales_by_day')} are parked: {seen}")
        for name in NAMES:
            told_once(alerted, f"dead-letters:{name}", "open")
        assert set(shop.differences(*NAMES)) == set(NAMES)
        fingerprints = dlq_shows_it(shop)
        ended(broken)

        with projector(shop, *NAMES, "--healthy") as healthy:
            works(shop, healthy, *NAMES)
            retried(shop, fingerprints)
            for name in NAMES:
                told_once(alerted, f"dead-letters:{name}", "open", "over")
            traffic.all_seen()
            assert alerted.causes == {f"dead-letters:{name}" for name in NAMES}
            traffic.__exit__()
            equal_to_a_replay(shop)
    print(f"{traffic.commands} commands of others, {alerted.checks} checks, {len(alerted.smtp.mails)} mails")


def dlq_shows_it(shop: Shop) -> dict[str, str]:
    """`dlq list`, `stats` and `show` say what an operator needs; answers projection → fingerprint."""
    listing, statistics = Asked(shop, "dlq", "list"), Asked(shop, "dlq", "stats")
    listed, stats = listing.wait(), statistics.wait()
    assert (listed.code, stats.code) == (1, 1)
    rows = {row["projection"]: row for row in listed.json["projections"] if row["total"]}
    counted = {row["projection"]: row for row in stats.json["fingerprints"]}
    assert rows.keys() == counted.keys() == set(NAMES)
    for name, row in rows.items():
        assert row["total"] == counted[name]["letters"] == letters(shop, name)
        assert "there is no price for this one" in counted[name]["error"]
    first = next(letter for letter in rows["products"]["letters"] if not letter["held"])
    shown = ask(shop, "dlq", "show", first["id"])
    assert (shown.code, shown.json["data"]["sku"]) == (0, POISON)
    assert "there is no price for this one" in shown.json["traceback"]
    return {name: row["fingerprint"] for name, row in counted.items()}


def retried(shop: Shop, fingerprints: dict[str, str]) -> None:
    """By the operator's command, a canary first: everything that was parked is applied."""
    total = {name: letters(shop, name) for name in fingerprints}
    asked = {name: Asked(shop, "dlq", "retry", name, "--fingerprint", key) for name, key in fingerprints.items()}
    for name, command in asked.items():
        done = command.wait()
        said = (done.code, done.json["canary"]["done"], done.json["request"]["done"])
        assert said == (0, 1, total[name] - 1), done
        assert letters(shop, name) == 0


def equal_to_a_replay(shop: Shop) -> None:
    """The check: documents and counters are what the log makes, and nothing is stopped."""
    shop.settled(*NAMES)
    assert shop.store["projection_stopped"].count_documents({}) == 0
    assert shop.store["projection_dead_letters"].count_documents({}) == 0


# ---------------------------------------------------------------- seeded defects
def test_defect_alerts_forget_whom_they_told(shop: Shop, alerted: Alerted, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the poison is taken for an engine's fault: then all others wait as well."""
    good = stocked(shop, [f"G{number}" for number in range(60)])  # so that some share the partition of the poison
    (bad,) = stocked(shop, [POISON])
    priced([bad], 1)
    shop.publish()
    shop.worker("products", projection=defective(PROJECTIONS["products"]))
    wait_until(lambda: letters(shop, "products"))
    with monkeypatch.context() as patch:
        patch.setattr(book_module.Book, "sent", lambda self, claim, due, now: self.failed(claim, due, now, "forgotten"))
        alerted.begin()
        with pytest.raises(AssertionError, match="'open', 'open'"):
            told_once(alerted, "dead-letters:products", "open")
    with Traffic(shop, good, sales=False) as traffic, monkeypatch.context() as patch:
        traffic.all_seen()
        patch.setattr(fold, "is_engine_failure", lambda error: True)
        patch.setattr(worker, "is_engine_failure", lambda error: True)
        stocked(shop, [f"{POISON}2"])
        with pytest.raises(AssertionError, match="not visible"):
            traffic.stays_current(1.0, 3, windows=2)


def test_defect_each_poison_event_holds_up_the_others(shop: Shop) -> None:
    """For two seconds only, after which all goes on: it is seen because each window has a poison event of its own."""
    good, numbers = stocked(shop, [f"G{number}" for number in range(60)]), itertools.count()
    slow = defective(PROJECTIONS["products"], lambda sku: sku.startswith(POISON) and not time.sleep(2))
    shop.worker("products", projection=slow)
    with Traffic(shop, good, sales=False) as traffic:
        traffic.all_seen()
        with pytest.raises(AssertionError, match=r"longer|not visible"):
            traffic.stays_current(1.0, 5, disturb=lambda: stocked(shop, [f"{POISON}{next(numbers)}"]), windows=2)
    assert next(numbers) == 2
