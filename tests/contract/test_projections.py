"""What documents say of a history, by hand; that however its events come they say the same is for `test_owes`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from acme.contracts.registry import EVENTS
from projections.registry import PROJECTIONS
from projections.runtime.projection import Projection
from tests.contract.feeding import new_applier, pending, relevant, streams_of
from tests.contract.history import History, plain_unseal
from tests.oracle import replay
from tests.oracle import stored as documents

HISTORY = History(seed=7)
STREAM = HISTORY.interleaved(1)
every_projection = pytest.mark.parametrize("projection", PROJECTIONS.values(), ids=PROJECTIONS)


@pytest.fixture(scope="module")
def client(mongo: str) -> Iterator[MongoClient[Any]]:
    with MongoClient(mongo, tz_aware=True) as connected:
        yield connected


@pytest.fixture
def store(client: MongoClient[Any], mongo_database: str) -> Database[Any]:
    return client[mongo_database]


@pytest.fixture(scope="module")
def expected(client: MongoClient[Any]) -> Iterator[dict[str, Any]]:
    """Every projection's documents after everything, once, in order, in one batch."""
    database = client["contract_expected"]
    found = {}
    for projection in PROJECTIONS.values():
        stream = relevant(projection, STREAM)
        applier = new_applier(database, projection, streams_of(stream))
        applier.apply(pending(applier, stream), {})
        assert not applier.stopped
        found[projection.name] = documents(database, projection)
        assert found[projection.name]
    client.drop_database("contract_expected")
    yield found


def test_history_has_every_event_type() -> None:
    assert {envelope.event_type for envelope in STREAM} == set(EVENTS)


@every_projection
def test_every_event_type_of_its_aggregates_is_handled_or_ignored(projection: Projection) -> None:
    if projection.headers_only:
        return
    concerned = set(projection.sections) | projection.counted
    named = set(projection.on) | set(projection.counts) | projection.ignores
    types = {name for name, cls in EVENTS.items() if cls.aggregate_type in concerned}
    assert types - named == set(), "say in `ignores` which events are passed over on purpose"


def test_available_is_the_stock_of_the_variants_that_the_product_still_has(expected: dict[str, Any]) -> None:
    """Computed by the store across sections; here once more, by hand, from the events."""
    products = expected["products"]
    levels: dict[str, dict[str, int]] = {}
    removed = {e.data["variant_id"] for e in STREAM if e.event_type == "VariantRemoved"}
    for envelope in STREAM:
        if envelope.aggregate_type == "stock_item":
            data = envelope.data
            levels.setdefault(data["product_id"], {})[data["variant_id"]] = data["on_hand"] - data["reserved"]
    for key, product in products.items():
        available = sum(pieces for variant, pieces in levels[key].items() if variant not in removed)
        assert (product["available"], product["in_stock"]) == (available, available > 0)
    assert any(product["in_stock"] for product in products.values())


def test_sales_are_what_the_orders_say(expected: dict[str, Any]) -> None:
    """The totals of all days against the events, independent of keys and fences."""
    sold = [e.data for e in STREAM if e.event_type in {"OrderConfirmed", "OrderImported"}]
    undone = [e.data for e in STREAM if e.event_type == "OrderCancelled" and e.data["was_confirmed"]]
    gross = sum(d["total"]["amount_minor"] for d in sold) - sum(d["total"]["amount_minor"] for d in undone)
    returned = sum(e.data["total"]["amount_minor"] for e in STREAM if e.event_type == "PastReturnImported")
    for dimension in ("total", "product", "category", "country"):
        days = [day for day in expected["sales_by_day"].values() if day["dimension"] == dimension]
        assert sum(day["gross"] for day in days) == gross
        assert sum(day["returned"] for day in days) == returned
    totals = [day for day in expected["sales_by_day"].values() if day["dimension"] == "total"]
    assert sum(day["orders"] for day in totals) == len(sold) - len(undone)


@every_projection
def test_a_replay_in_memory_says_the_same(projection: Projection, expected: dict[str, Any]) -> None:
    """The oracle of the fault tests and the runtime agree when nothing goes wrong."""
    assert replay(projection, STREAM, plain_unseal) == expected[projection.name]
