"""What cannot be written or parked: values that no store holds, counters it refuses, a queue that is full."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from acme.contracts.envelope import Envelope
from projections.registry import PROJECTIONS
from projections.runtime import requests
from projections.runtime.applier import Applier, QueueFull
from projections.runtime.bulk import CounterUnwritable, Unwritable
from projections.runtime.documents import Overtaken
from projections.runtime.letterbox import Selection
from projections.runtime.projection import Projection
from projections.runtime.settings import QueueLimits
from projections.runtime.supply import comes_before
from projections.runtime.writer import Writer
from tests.contract.feeding import feed, letters_of, new_applier, pending, streams_of
from tests.contract.history import plain_unseal
from tests.integration.projections.test_recovery import carry_out, expected_of, started, stopped_shop, stream_of
from tests.integration.projections.test_stopped import FAILING, poisoned, some_victims
from tests.oracle import stored as documents


@pytest.fixture
def store(mongo: str, mongo_database: str) -> Iterator[Database[Any]]:
    with MongoClient(mongo, tz_aware=True) as client:
        yield client[mongo_database]


@pytest.mark.parametrize(
    "limits", [QueueLimits(per_aggregate=1), QueueLimits(in_all=4)], ids=["of an aggregate", "in all"]
)
@pytest.mark.parametrize("name", ["orders", "sales_by_day"])
def test_a_full_queue_stops_partitions_until_retries_make_room(
    name: str, limits: QueueLimits, store: Database[Any]
) -> None:
    projection = PROJECTIONS[name]
    stream = stream_of(projection)
    broken = poisoned(projection, some_victims(stream, "OrderConfirmed", 20))
    full = fill(Applier(broken, 1, store, plain_unseal, limits=limits), stream)
    assert full
    assert len(letters_of(store)) <= limits.in_all
    for aggregate in {letter["aggregate"] for letter in letters_of(store)}:
        assert len(letters_of(store, aggregate=aggregate)) <= limits.per_aggregate
    rounds = 0
    while pending(roomy := limited(store, projection, limits), stream) or letters_of(store):
        fill(roomy, stream)
        if letters_of(store):
            asked = requests.ask_retry(store, name, Selection(everything=True), by="anna")
            assert carry_out(store, projection, asked).failed == 0
        rounds += 1
        assert rounds < 200
    assert documents(store, projection) == expected_of(projection)


def test_what_was_passed_over_before_needs_no_room(store: Database[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch has parked more than there is room for now, and never came to its checkpoint: no request can make room
    before another has."""
    projection = PROJECTIONS["orders"]
    stream = stream_of(projection)
    aggregate = next(e.aggregate for e in stream if e.event_type == "OrderCompleted")
    broken = new_applier(store, poisoned(projection, {aggregate}), streams_of(stream))

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(broken.checkpoints, "advance", killed)
    with pytest.raises(KeyboardInterrupt):
        broken.apply(pending(broken, stream), {})
    monkeypatch.undo()
    second = letters_of(store)[1]
    store["projection_dead_letters"].delete_one({"_id": second["_id"]})
    assert not fill(limited(store, projection, QueueLimits(per_aggregate=1)), stream)
    carry_out(store, projection, requests.ask_retry(store, "orders", Selection(everything=True), by="anna"))
    assert letters_of(store) == []
    assert documents(store, projection) == expected_of(projection)


def limited(store: Database[Any], projection: Projection, limits: QueueLimits) -> Applier:
    applier = Applier(projection, 1, store, plain_unseal, limits=limits)
    applier.reload(streams_of(stream_of(projection)))
    return applier


def fill(applier: Applier, stream: list[Envelope]) -> set[Any]:
    """Applies until nothing more can be, as a worker does; answers the partitions that are full."""
    applier.reload(streams_of(stream))
    full: set[Any] = set()
    while batch := [i for i in pending(applier, stream) if (i.envelope.topic, i.envelope.partition) not in full][:20]:
        while batch:
            try:
                applier.apply(batch, {})
                break
            except QueueFull as error:
                full |= error.streams
                batch = [item for item in batch if comes_before(item, error.first)]
            except Overtaken:
                applier.reload(streams_of(stream))
                break
    return full


def test_a_count_that_no_store_can_hold_is_the_events_fault(store: Database[Any]) -> None:
    projection = PROJECTIONS["sales_by_day"]
    stream = stream_of(projection)
    victims = some_victims(stream, "OrderConfirmed", 1)
    real = projection.counts["OrderConfirmed"]

    def handle(instance: Any, event: Any, at: Any) -> list[Any]:
        counts = list(real(instance, event, at))
        huge = f"{event.aggregate_type}:{event.aggregate_id}" in victims
        return [replace(c, add={**c.add, "gross": 2**70}) for c in counts] if huge else counts

    spoil = replace(projection, counts={**projection.counts, "OrderConfirmed": handle})
    feed(started(store, spoil), stream, largest=60)
    assert {letter["aggregate"] for letter in letters_of(store)} == victims
    asked = requests.ask_retry(store, "sales_by_day", Selection(everything=True), by="anna")
    assert carry_out(store, spoil, asked).failed > 0
    asked = requests.ask_retry(store, "sales_by_day", Selection(everything=True), by="anna")
    assert carry_out(store, projection, asked).failed == 0
    assert documents(store, projection) == expected_of(projection)


def spoiled(projection: Projection, victims: set[str], value: Callable[[], Any]) -> Projection:
    """The projection with a handler that puts something into a section which the store cannot hold."""
    name = FAILING[projection.name]
    real = projection.on[name]

    def handle(instance: Any, section: dict[str, Any], event: Any, at: Any) -> None:
        real(instance, section, event, at)
        if f"{event.aggregate_type}:{event.aggregate_id}" in victims:
            section["spoiled"] = value()

    return replace(projection, on={**projection.on, name: handle})


@pytest.mark.parametrize(
    "value",
    [lambda: 2**70, lambda: object(), lambda: "\ud800", lambda: "x" * (17 * 1024 * 1024)],
    ids=["int", "object", "surrogate", "17 MB"],
)
@pytest.mark.parametrize("name", ["orders", "products"])
def test_what_the_store_cannot_hold_is_the_events_fault(
    name: str, value: Callable[[], Any], store: Database[Any]
) -> None:
    projection = PROJECTIONS[name]
    stream = stream_of(projection)
    victims = some_victims(stream, FAILING[name], 1)
    spoil = spoiled(projection, victims, value)
    feed(new_applier(store, spoil, streams_of(stream)), stream, largest=60)
    assert {letter["aggregate"] for letter in letters_of(store)} == victims
    wanted = expected_of(projection)
    different = {key for key, document in documents(store, projection).items() if document != wanted[key]}
    assert len(different) <= 1
    # Tried again with the same fault: the events before the one at fault go in, one by one.
    again = requests.ask_retry(store, name, Selection(everything=True), by="anna")
    assert carry_out(store, spoil, again).failed == 1
    assert letters_of(store)[0]["event_type"] == FAILING[name]
    carry_out(store, projection, requests.ask_retry(store, name, Selection(everything=True), by="anna"))
    assert documents(store, projection) == wanted


def test_a_counter_that_the_store_refuses_blocks_its_partitions(store: Database[Any]) -> None:
    """Somebody has put a text where a number is: no event may be passed over for that."""
    projection = PROJECTIONS["sales_by_day"]
    stream = stream_of(projection)
    half = len(stream) // 2
    applier = started(store, projection)
    feed(applier, stream[:half], largest=50)
    collection = store["sales_by_day__g1"]
    day = collection.find_one({"dimension": "total"}, sort=[("_id", -1)])
    assert day is not None
    collection.update_many({"dimension": "total"}, {"$set": {"gross": "broken"}})
    applier.reload(streams_of(stream))
    with pytest.raises(CounterUnwritable) as raised:
        applier.apply(pending(applier, stream), {})
    assert set(raised.value.streams) <= streams_of(stream)
    assert letters_of(store) == []


@pytest.mark.parametrize("name", ["orders", "sales_by_day"])
def test_a_discard_that_the_store_refuses_leaves_its_letters_parked(
    name: str, store: Database[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    projection, everything = PROJECTIONS[name], Selection(everything=True)
    victims = stopped_shop(store, projection)
    before = {letter["_id"] for letter in letters_of(store)}

    def refuses(self: Writer, fold: Any, **_: Any) -> None:
        raise Unwritable(dict.fromkeys(victims, ValueError("it would be too large")))

    with monkeypatch.context() as patch:
        patch.setattr(Writer, "write_late", refuses)
        asked = requests.ask_discard(store, name, everything, by="anna", reason="a test")
        found = carry_out(store, projection, asked)
    assert (found.finished, found.failed, found.done) == (True, len(before), 0)
    left = letters_of(store)
    assert {letter["_id"] for letter in left} == before
    assert all("it would be too large" in letter["outcome"]["error"] for letter in left)
    assert started(store, projection).stopped.keys() == victims
    found = carry_out(store, projection, requests.ask_retry(store, name, everything, by="anna"))
    assert (found.failed, found.held) == (0, 0)
    assert documents(store, projection) == expected_of(projection)
