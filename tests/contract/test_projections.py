"""What each projection owes: the same events, however they arrive, give the same documents (stream.md, last section).

One test per promise, over every declared projection, on a real MongoDB-protocol server.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database

from acme.contracts.registry import EVENTS
from projections.registry import PROJECTIONS
from projections.runtime import checkpoints
from projections.runtime.checkpoints import Checkpoints
from projections.runtime.documents import Overtaken
from projections.runtime.projection import Projection
from projections.runtime.writer import Writer
from tests.contract.feeding import feed, new_applier, pending, relevant, streams_of
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


@every_projection
@pytest.mark.parametrize("seed", [1, 2])
def test_any_batch_borders(projection: Projection, seed: int, store: Database[Any], expected: dict[str, Any]) -> None:
    stream = relevant(projection, STREAM)
    feed(new_applier(store, projection, streams_of(stream)), stream, seed=seed, largest=10 * seed)
    assert documents(store, projection) == expected[projection.name]


@every_projection
def test_another_interleaving(projection: Projection, store: Database[Any], expected: dict[str, Any]) -> None:
    stream = relevant(projection, HISTORY.interleaved(99))
    feed(new_applier(store, projection, streams_of(stream)), stream, seed=3)
    assert documents(store, projection) == expected[projection.name]


@every_projection
def test_everything_twice(projection: Projection, store: Database[Any], expected: dict[str, Any]) -> None:
    """Checkpoints lost, documents kept: the second pass finds every version and fence in place."""
    stream = relevant(projection, STREAM)
    applier = new_applier(store, projection, streams_of(stream))
    feed(applier, stream, seed=4)
    store["projection_checkpoints"].drop()
    applier.reload(streams_of(stream))
    feed(applier, stream, seed=5)
    assert documents(store, projection) == expected[projection.name]


class Killed(Exception):
    """Stands in for SIGKILL at the moment of a write."""


@every_projection
@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_killed_at_any_write(
    projection: Projection,
    before: bool,
    store: Database[Any],
    expected: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A new worker takes over after a kill before, or just after, every third bulk write."""
    stream = relevant(projection, STREAM)
    original = Collection.bulk_write
    writes = 0

    def bulk_write(self: Collection[Any], *args: Any, **kwargs: Any) -> Any:
        nonlocal writes
        writes += 1
        if writes % 3 == 0 and before:
            raise Killed
        result = original(self, *args, **kwargs)
        if writes % 3 == 0:
            raise Killed
        return result

    monkeypatch.setattr(Collection, "bulk_write", bulk_write)
    kills = 0
    for attempt in range(1000):
        applier = new_applier(store, projection, streams_of(stream))
        if not pending(applier, stream):
            break
        try:
            feed(applier, stream, seed=attempt, largest=5)
        except Killed:
            kills += 1
    assert kills >= 2
    assert documents(store, projection) == expected[projection.name]


@every_projection
def test_store_loses_its_tail_under_a_running_worker(
    projection: Projection, store: Database[Any], expected: dict[str, Any], client: MongoClient[Any]
) -> None:
    """Documents and checkpoints go back together; the worker, which knows nothing of it, notices and applies again."""
    stream = relevant(projection, STREAM)
    applier = new_applier(store, projection, streams_of(stream))
    third = len(stream) // 3
    feed(applier, stream[:third], seed=6)
    before = {name: list(store[name].find()) for name in store.list_collection_names()}
    feed(applier, stream[: 2 * third], seed=7)
    for name in store.list_collection_names():
        store[name].delete_many({})
        if before.get(name):
            store[name].insert_many(before[name])
    with pytest.raises(Overtaken):
        applier.audit()
    feed(applier, stream, seed=8)
    assert documents(store, projection) == expected[projection.name]


@every_projection
def test_store_restarts_between_documents_and_checkpoint(
    projection: Projection, store: Database[Any], expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Documents go to one process of the store, which dies and loses them; their checkpoint goes to the next."""
    stream = relevant(projection, STREAM)
    collection = store[f"{projection.name}__g1"]
    incarnation, batch = 1, 0
    before: list[Any] = []
    advance, fold = Checkpoints.advance, Writer.fold

    def remember_and_fold(self: Writer, envelopes: Any) -> Any:
        before[:] = collection.find()
        return fold(self, envelopes)

    def advance_after_a_restart(self: Checkpoints, moves: Any) -> None:
        nonlocal incarnation, batch
        batch += 1
        if batch in {1, 3, 6, 10}:
            incarnation += 1
            collection.delete_many({})
            if before:
                collection.insert_many(before)
        advance(self, moves)

    monkeypatch.setattr(checkpoints, "store_incarnation", lambda store: str(incarnation))
    monkeypatch.setattr(Writer, "fold", remember_and_fold)
    monkeypatch.setattr(Checkpoints, "advance", advance_after_a_restart)
    feed(new_applier(store, projection, streams_of(stream)), stream, seed=13, largest=12)
    assert incarnation > 2
    assert documents(store, projection) == expected[projection.name]
    assert store["projection_stopped"].count_documents({}) == 0


@every_projection
def test_zombie_writes_late(projection: Projection, store: Database[Any], expected: dict[str, Any]) -> None:
    """A worker that was suspended with a batch in hand wakes up after another has gone on: it changes nothing."""
    stream = relevant(projection, STREAM)
    zombie = new_applier(store, projection, streams_of(stream))
    feed(zombie, stream[: len(stream) // 3], seed=9)
    in_hand = pending(zombie, stream)[:25]
    rival = new_applier(store, projection, streams_of(stream))
    feed(rival, stream[: 2 * len(stream) // 3], seed=10)
    with pytest.raises(Overtaken):
        zombie.apply(in_hand, {})
    feed(rival, stream, seed=11)
    assert documents(store, projection) == expected[projection.name]


@every_projection
def test_two_workers_with_shared_partitions(
    projection: Projection, store: Database[Any], expected: dict[str, Any]
) -> None:
    """Each owns half of the partitions; documents that get events from both halves come out right."""
    stream = relevant(projection, HISTORY.interleaved(5))
    halves = [[e for e in stream if e.partition % 2 == half] for half in (0, 1)]
    appliers = [new_applier(store, projection, streams_of(half)) for half in halves]
    chooser = random.Random(12)
    while any(pending(a, h) for a, h in zip(appliers, halves, strict=True)):
        which = chooser.randint(0, 1)
        applier, half = appliers[which], halves[which]
        try:
            applier.apply(pending(applier, half)[: chooser.randint(1, 10)], {})
        except Overtaken:
            applier.reload(streams_of(half))
    assert documents(store, projection) == expected[projection.name]
