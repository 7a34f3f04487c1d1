"""A failing event stops its own aggregate; it and all behind it are parked, and go in by a retry; counted once."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.collection import Collection
from pymongo.database import Database

from acme.contracts.envelope import Envelope
from projections.registry import PROJECTIONS
from projections.runtime.applier import Applier
from projections.runtime.documents import Overtaken
from projections.runtime.letters import envelope_of
from projections.runtime.mending import may_go_on
from projections.runtime.projection import Projection
from tests.contract.feeding import feed, letters_of, new_applier, pending, recovery, relevant, streams_of
from tests.contract.history import History
from tests.oracle import stored as documents

HISTORY = History(seed=21)
STREAM = HISTORY.interleaved(2)
#: projection → an event type in the middle of an aggregate's life
FAILING = {
    "products": "PriceSet",
    "sales_by_day": "OrderConfirmed",
    "customers": "OrderConfirmed",
    "orders": "OrderConfirmed",
}
chosen = pytest.mark.parametrize("projection", [PROJECTIONS[name] for name in FAILING], ids=FAILING)


@pytest.fixture
def store(mongo: str, mongo_database: str) -> Iterator[Database[Any]]:
    with MongoClient(mongo, tz_aware=True) as client:
        yield client[mongo_database]


@pytest.fixture
def expected(projection: Projection, mongo: str) -> Iterator[dict[str, Any]]:
    stream = relevant(projection, STREAM)
    with MongoClient(mongo, tz_aware=True) as client:
        feed(new_applier(client["stopped_expected"], projection, streams_of(stream)), stream)
        yield documents(client["stopped_expected"], projection)
        client.drop_database("stopped_expected")


def poisoned(projection: Projection, victims: set[str]) -> Projection:
    """The projection with a handler that fails for some aggregates, half way through its changes."""

    def failing(handler: Any) -> Any:
        def handle(instance: Any, *arguments: Any) -> Any:
            event = arguments[-2]
            if f"{event.aggregate_type}:{event.aggregate_id}" in victims:
                if len(arguments) == 3:
                    arguments[0]["name"] = "half changed"
                raise ZeroDivisionError("poison")
            return handler(instance, *arguments)

        return handle

    name = FAILING[projection.name]
    handlers = projection.on if name in projection.on else projection.counts
    field = "on" if handlers is projection.on else "counts"
    return replace(projection, **{field: {**handlers, name: failing(handlers[name])}})


def some_victims(stream: list[Envelope], event_type: str, count: int) -> set[str]:
    return set(sorted({e.aggregate for e in stream if e.event_type == event_type})[:count])


@chosen
def test_stops_its_own_aggregate_only_and_catches_up_after_the_fix(
    projection: Projection, store: Database[Any], expected: dict[str, Any]
) -> None:
    stream = relevant(projection, STREAM)
    victims = some_victims(stream, FAILING[projection.name], 2)
    broken = new_applier(store, poisoned(projection, victims), streams_of(stream))
    feed(broken, stream, seed=1)

    markers = {row["aggregate"]: row for row in store["projection_stopped"].find()}
    assert set(markers) == victims
    for aggregate, row in markers.items():
        first = next(e for e in stream if e.aggregate == aggregate and e.event_type == FAILING[projection.name])
        assert row["first_version"] == first.aggregate_version
        assert "poison" in row["error"]
        letters = letters_of(store, aggregate=aggregate)
        events = [e for e in stream if e.aggregate == aggregate and e.aggregate_version >= first.aggregate_version]
        assert [envelope_of(letter) for letter in letters] == events
        assert [letter["held"] for letter in letters] == [False] + [True] * (len(events) - 1)
        assert "ZeroDivisionError" in letters[0]["traceback"]
        assert len({letter["fingerprint"] for letter in letters}) == 1
    assert documents(store, projection) != expected

    restarted = new_applier(store, poisoned(projection, victims), streams_of(stream))
    recovery(restarted, stream).retry(letters_of(store))
    assert {letter["attempts"] for letter in letters_of(store, held=False)} == {2}
    assert {letter["outcome"]["result"] for letter in letters_of(store, held=True)} <= {"held"}

    fixed = new_applier(store, projection, streams_of(stream))
    assert set(fixed.stopped) == victims
    recovery(fixed, stream).retry(letters_of(store))
    assert store["projection_stopped"].count_documents({}) == store["projection_dead_letters"].count_documents({}) == 0
    assert not any(checkpoint.stopped for checkpoint in fixed.held.values())
    assert documents(store, projection) == expected


@chosen
def test_a_retry_killed_at_any_write_counts_nothing_twice(
    projection: Projection, store: Database[Any], expected: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = relevant(projection, STREAM)
    feed(
        new_applier(store, poisoned(projection, some_victims(stream, FAILING[projection.name], 3)), streams_of(stream)),
        stream,
    )
    kills = Kills(monkeypatch)
    while store["projection_stopped"].count_documents({}):
        with suppress(KeyboardInterrupt):
            kills.begin()
            recovery(new_applier(store, projection, streams_of(stream)), stream).retry(letters_of(store))
    assert kills.done > 1
    assert store["projection_dead_letters"].count_documents({}) == 0
    assert documents(store, projection) == expected


class Kills:
    """Ends the first attempt after its first write, the second after its second, and so on, later ones at random."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done, self._left = 0, 0
        self._random = random.Random(17)
        for name in ("bulk_write", "delete_many", "update_many", "update_one"):
            monkeypatch.setattr(Collection, name, self._killing(getattr(Collection, name)))

    def begin(self) -> None:
        self._left = self.done + 1 if self.done < 12 else self._random.randint(1, 30)
        assert self.done < 400

    def _killing(self, original: Any) -> Any:
        def write(collection: Collection[Any], *args: Any, **kwargs: Any) -> Any:
            result = original(collection, *args, **kwargs)
            self._left -= 1
            if self._left == 0:
                self.done += 1
                raise KeyboardInterrupt
            return result

        return write


COUNTER = PROJECTIONS["sales_by_day"]
#: So many orders that the documents of a day get events of the same partition again and again.
DENSE = relevant(COUNTER, History(seed=3, size=60).interleaved(2))


@pytest.fixture
def counted(mongo: str) -> Iterator[dict[str, Any]]:
    with MongoClient(mongo, tz_aware=True) as client:
        feed(new_applier(client["counted_expected"], COUNTER, streams_of(DENSE)), DENSE, largest=200)
        yield documents(client["counted_expected"], COUNTER)
        client.drop_database("counted_expected")


def failing_counter() -> Projection:
    return poisoned(COUNTER, some_victims(DENSE, FAILING["sales_by_day"], 60))


def started(store: Database[Any], projection: Projection = COUNTER) -> Applier:
    """A worker after its start, and a retry of everything that an operator has asked of it."""
    applier = new_applier(store, projection, streams_of(DENSE))
    recovery(applier, DENSE).retry(letters_of(store))
    return applier


@pytest.mark.parametrize("stopped_before", [False, True], ids=["refused", "passed over"])
def test_killed_before_the_checkpoint_and_started_with_the_fix(
    stopped_before: bool, store: Database[Any], counted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Documents are ahead of the checkpoint, and their fences past events that were refused or passed over."""
    broken = new_applier(store, failing_counter(), streams_of(DENSE))
    if stopped_before:
        feed(broken, DENSE[: len(DENSE) * 2 // 3], largest=200)
        assert broken.stopped

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(broken.checkpoints, "advance", killed)
    with pytest.raises(KeyboardInterrupt):
        broken.apply(pending(broken, DENSE), {})

    fixed = started(store)
    feed(fixed, DENSE, largest=30)
    assert set(fixed.stopped) == {stopped.aggregate for stopped in may_go_on(fixed)}
    fixed = started(store)
    assert not fixed.stopped
    assert documents(store, COUNTER) == counted


def test_a_marker_of_a_worker_that_lost_its_partitions_counts_nothing_twice(
    store: Database[Any], counted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Old code, suspended with a batch in hand; new code has applied that batch when it wakes up."""
    old, new = new_applier(store, failing_counter(), streams_of(DENSE)), started(store)
    in_hand = pending(old, DENSE)
    old.audit()
    monkeypatch.setattr(old, "audit", lambda: None)  # it has looked just before the new one goes on
    feed(new, DENSE, largest=200)
    with pytest.raises(Overtaken):
        old.apply(in_hand, {})
    assert store["projection_stopped"].count_documents({})
    assert not started(store).stopped
    assert store["projection_stopped"].count_documents({}) == 0
    assert documents(store, COUNTER) == counted


def test_passing_over_while_another_worker_lets_the_aggregate_go_on(
    store: Database[Any], counted: dict[str, Any]
) -> None:
    """A rebalance to a worker with the fix; the last batch of the old worker is still in flight."""
    old = new_applier(store, failing_counter(), streams_of(DENSE))
    feed(old, DENSE[: len(DENSE) * 2 // 3], largest=200)
    new = started(store)
    with pytest.raises(Overtaken):
        old.apply(pending(old, DENSE), {})
    feed(new, DENSE, largest=200)
    assert not new.stopped
    assert documents(store, COUNTER) == counted


def test_the_old_worker_passes_over_more_while_the_new_one_retries(
    store: Database[Any], counted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = new_applier(store, failing_counter(), streams_of(DENSE))
    feed(old, DENSE[: len(DENSE) * 2 // 3], largest=200)
    new = new_applier(store, COUNTER, streams_of(DENSE))
    retrying, marked = recovery(new, DENSE), letters_of(store)
    feed(old, DENSE, largest=200)
    with pytest.raises(Overtaken):
        retrying.retry(marked)
    assert not started(store).stopped
    assert documents(store, COUNTER) == counted


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"event_type": "OrderExploded"}, "unknown event type"),
        ({"schema_version": 9}, "schema version 9"),
        ({"data": {"order_id": "?"}}, "OrderConfirmed"),
    ],
)
def test_what_cannot_be_decoded_stops_its_aggregate(change: dict[str, Any], error: str, store: Database[Any]) -> None:
    projection = PROJECTIONS["orders"]
    stream = relevant(projection, STREAM)
    index = next(i for i, e in enumerate(stream) if e.event_type == "OrderConfirmed")
    values = {name: getattr(stream[index], name) for name in stream[index].__struct_fields__}
    broken = [*stream[:index], Envelope(**{**values, **change}), *stream[index + 1 :]]
    feed(new_applier(store, projection, streams_of(stream)), broken)
    (marker,) = store["projection_stopped"].find()
    assert marker["aggregate"] == stream[index].aggregate
    assert error in marker["error"]
