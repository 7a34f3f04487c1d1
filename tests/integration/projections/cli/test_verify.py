"""`projector verify` beside real workers: damage is found, said, repaired, and alerted at night."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from acme.env import env
from projections.alerting.causes import assess
from projections.alerting.snapshot import take_snapshot
from projections.cli import verify
from projections.verification import tasks
from tests.integration.projections.cli.conftest import Projector
from tests.integration.projections.conftest import Shop, wait_until

NAMES = ("products", "stock", "positions")


@pytest.fixture
def filled(shop: Shop, point_mongodb: Callable[[str], None]) -> Shop:
    point_mongodb(f"{shop.mongo.url.rpartition('/')[0]}/acme")
    shop.act(60)
    for name in NAMES:
        shop.worker(name)
    shop.settled(*NAMES)
    return shop


def differences(found: Any, name: str) -> list[dict[str, Any]]:
    (row,) = [row for row in found.json["projections"] if row["projection"] == name]
    return list(row["differences"])


def causes() -> set[str]:
    return {cause.key for cause in assess(take_snapshot(), env.alerts).causes}


def test_damage_is_found_by_both_oracles_and_repaired(filled: Shop, projector: Projector) -> None:
    assert projector("verify", *NAMES).code == 0
    clean = projector("verify", *NAMES, "--json")
    assert clean.code == 0 and all(row["documents"] and not row["differences"] for row in clean.json["projections"])

    collection = filled.store["products__g1"]
    changed, lost = (str(product) for product, _ in filled.products[:2])
    collection.update_one({"_id": changed}, {"$set": {"product.name": "somebody was here"}})
    collection.delete_one({"_id": lost})
    shown = projector("verify", "products")
    assert shown.code == 1 and "'somebody was here'" in shown.out and f"{lost} product missing" in shown.out
    found = differences(projector("verify", "products", "--json"), "products")
    assert {(row["oracle"], row["document"]) for row in found} >= {
        ("log", changed), ("tables", changed), ("log", lost)
    }  # fmt: skip
    assert "somebody" not in str(found)
    assert "differences:products" in causes()

    repaired = projector("verify", "products", "--repair", "--yes", "--wait", "30", "--json")
    assert repaired.code == 0, repaired.out
    assert repaired.json["projections"][0]["repaired"]
    filled.settled("products")
    assert "differences:products" not in causes()


def test_two_are_repaired_in_one_go(filled: Shop, projector: Projector) -> None:
    victim = {"_id": str(filled.products[0][0])}
    filled.store["products__g1"].update_one(victim, {"$set": {"product.name": "somebody was here"}})
    filled.store["stock__g1"].update_one({}, {"$set": {"item.on_hand": -1}})
    repaired = projector("verify", "products", "stock", "--repair", "--yes", "--wait", "30", "--json")
    assert repaired.code == 0, repaired.out
    assert [(row["projection"], len(row["repaired"])) for row in repaired.json["projections"]] == [
        ("products", 1),
        ("stock", 1),
    ]
    filled.settled("products", "stock")


def test_a_repair_that_does_not_get_on_asks_for_no_more(
    filled: Shop, projector: Projector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "ASKED_AT_ONCE", 1)
    for product, _ in filled.products[:3]:
        filled.store["products__g1"].update_one({"_id": str(product)}, {"$set": {"product.name": "somebody was here"}})
    assert projector("pause", "products").code == 0
    shown = projector("verify", "products", "--repair", "--yes")
    assert shown.code == 1
    assert shown.out.count("The request stays") == 1 and "2 more in products were not asked for" in shown.out
    assert filled.store["projection_requests"].count_documents({}) == 1


def test_what_belongs_to_no_aggregate_wants_another_generation(filled: Shop, projector: Projector) -> None:
    filled.store["stock__g1"].insert_one({"_id": "invented", "item": {"version": 3}})
    shown = projector("verify", "stock", "--repair", "--yes")
    assert shown.code == 1
    assert "invented surplus" in shown.out and "manage.py projector rebuild stock --accept-differences" in shown.out


def test_no_false_alarm_while_events_arrive(filled: Shop, projector: Projector) -> None:
    with filled.traffic(3, 0.02):
        for _ in range(4):
            ended = projector("verify", *NAMES)
            assert ended.code == 0, ended.out


def test_one_projection_that_cannot_be_verified_keeps_no_other_from_it(
    filled: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = tasks.verify

    def fails_once(store: Any, oracles: Any, projection: Any, **options: Any) -> Any:
        if projection.name == NAMES[0]:
            raise TimeoutError("as when an engine is away for a moment")
        return verified(store, oracles, projection, **options)

    monkeypatch.setattr(tasks, "verify", fails_once)
    done = tasks.nightly.apply()
    assert done.failed() and isinstance(done.result, TimeoutError)
    assert set(filled.store["projection_verifications"].distinct("_id")) == set(NAMES[1:])


def test_it_runs_at_night() -> None:
    assert settings.CELERY_BEAT_SCHEDULE["verify"]["task"] == tasks.nightly.name


def test_the_nightly_sample_alerts_and_does_not_forget(
    filled: Shop, projector: Projector, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tasks.nightly.apply().get() == 0 and not causes() & {f"differences:{name}" for name in NAMES}
    victim = str(filled.products[0][0])
    filled.store["products__g1"].update_one({"_id": victim}, {"$set": {"product.slug": "x"}})
    assert tasks.nightly.apply().get() > 0 and "differences:products" in causes()
    monkeypatch.setattr(tasks, "SAMPLE", 1)  # whichever document that is, the one that differed is looked at again
    for _ in range(3):
        assert tasks.nightly.apply().get() > 0 and "differences:products" in causes()
    product = filled.store["products__g1"].find_one({"_id": victim})
    assert product is not None
    assert projector("resync", "products", f"product:{victim}", "--wait", "20").code == 0
    wait_until(lambda: not filled.differences("products"))
    assert tasks.nightly.apply().get() == 0 and "differences:products" not in causes()


def test_a_sample_of_a_shop(filled: Shop, projector: Projector) -> None:
    (row,) = projector("verify", "products", "--sample", "3", "--json").json["projections"]
    assert (row["sampled"], row["documents"], row["differences"]) == (True, 3, [])
    assert projector("verify", "products", "--sample", "0").code == 2
    assert projector("verify", "nope").code == 2
