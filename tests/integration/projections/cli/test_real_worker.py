"""An operator's whole way with a worker that really works: look, dry run, canary, retry, discard, resync, reset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from acme.contracts.base import Event, Money
from commands.catalog.set_price import SetPrice, set_price
from commands.handling import execute
from projections.registry import PROJECTIONS
from projections.runtime.projection import Projection
from tests.integration.projections.cli.conftest import Projector
from tests.integration.projections.conftest import STAFF, Shop, wait_until

PRODUCTS = PROJECTIONS["products"]


def poisoned(victims: set[UUID]) -> Projection:
    """Prices of these products cannot be set."""
    price_set = PRODUCTS.on["PriceSet"]

    def failing(instance: Any, section: dict[str, Any], event: Event, at: datetime) -> None:
        if event.aggregate_id in victims:
            raise ZeroDivisionError("poison")
        price_set(instance, section, event, at)

    return replace(PRODUCTS, on={**PRODUCTS.on, "PriceSet": failing})


@pytest.fixture
def victims(shop: Shop, point_mongodb: Callable[[str], None]) -> set[UUID]:
    """Two products of a shop of forty commands whose prices fail in a running worker, until they are taken out."""
    point_mongodb(f"{shop.mongo.url.rpartition('/')[0]}/acme")
    shop.act(40)
    chosen = {product for product, _ in shop.products[:2]}
    shop.worker("products", projection=poisoned(chosen))
    return chosen


def parked(shop: Shop) -> int:
    return shop.store["projection_dead_letters"].count_documents({"state": "parked"})


def test_from_the_alert_to_the_end_of_it(shop: Shop, victims: set[UUID], projector: Projector) -> None:
    def retry(*more: str) -> Any:
        return projector("dlq", "retry", "products", "--fingerprint", fingerprint, "--wait", "30", *more)

    wait_until(lambda: len(shop.store["projection_dead_letters"].distinct("aggregate")) == 2, 60)
    wait_until(lambda: projector("lag", "products", "--threshold", "0").code == 0, 60)
    status = projector("status", "products", "--json")
    assert status.code == 1 and status.json["projections"][0]["states"] == ["parked", "running"]
    (row,) = projector("dlq", "stats", "products", "--json").json["fingerprints"]
    assert (row["failing"], row["aggregates"], row["event_type"]) == (2, 2, "PriceSet")
    assert row["error"] == "ZeroDivisionError: poison"
    fingerprint, letters = row["fingerprint"], row["letters"]

    dry = retry("--dry-run", "--json")  # by this process's code, where the fault is mended
    assert dry.code == 0 and len(dry.json["letters"]) == letters == parked(shop)
    assert {key for found in dry.json["letters"] for key in found["documents"]} == set(map(str, victims))

    failed = retry("--json")
    assert failed.code == 1 and failed.json["request"] is None and failed.json["canary"]["failed"] == 1
    assert parked(shop) == letters

    first = victims.pop()
    victims.clear()
    done = retry("--json")
    assert done.code == 0, done
    assert done.json["canary"]["done"] == 1 and done.json["request"]["done"] == letters - 1
    shop.settled("products")
    assert projector("status", "products").code == 0

    victims.add(first)
    price = SetPrice(product_id=first, sku=dict(shop.products)[first], price=Money(77, "GBP"))
    execute(set_price, price, actor=STAFF)
    shop.publish()
    wait_until(lambda: parked(shop) > 0, 60)
    victims.clear()
    gone = projector("dlq", "discard", "products", "--all", "--reason", "a test", "--yes", "--wait", "30")
    assert gone.code == 0 and parked(shop) == 0, gone
    gapped = projector("status", "products", "--json")
    assert gapped.json["projections"][0]["states"] == ["gapped", "running"] and gapped.code == 0
    assert shop.differences("products")
    mended = projector("resync", "products", str(first), "--wait", "30")
    assert mended.code == 0, mended
    shop.settled("products")
    assert "gapped" not in projector("status", "products").out
    pause_resume_and_reset_reach_the_worker(shop, projector)


def pause_resume_and_reset_reach_the_worker(shop: Shop, projector: Projector) -> None:
    def states() -> list[str]:
        return projector("status", "products", "--json").json["projections"][0]["states"]

    assert projector("pause", "products").code == 0
    wait_until(lambda: shop.store["projection_workers"].find_one({"state": "paused"}), 10)
    shop.act(5)
    assert states() == ["paused"] and shop.differences("products")
    assert projector("resume", "products").code == 0
    shop.settled("products")
    assert projector("reset", "products", "--yes", "--json").json["generation"] == 2
    wait_until(lambda: shop.store["products__g2"].count_documents({}) == len(shop.products), 60)
    wait_until(lambda: projector("lag", "products", "--threshold", "5").code == 0, 60)
    assert states() == ["running", "g1 kept"]
