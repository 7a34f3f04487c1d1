"""Counters under what else can happen to them: documents that get events of one partition again and again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from projections.registry import PROJECTIONS
from projections.runtime import checkpoints
from projections.runtime.applier import Applier
from projections.runtime.documents import Overtaken
from projections.runtime.fold import Refusal
from tests.contract.feeding import feed, letters_of, new_applier, pending, recovery, relevant, streams_of
from tests.contract.history import History, plain_unseal
from tests.integration.projections.test_stopped import poisoned, some_victims
from tests.oracle import replay
from tests.oracle import stored as documents

COUNTER = PROJECTIONS["sales_by_day"]
DENSE = relevant(COUNTER, History(seed=5, size=60).interleaved(4))
STREAMS = streams_of(DENSE)


@pytest.fixture
def store(mongo: str, mongo_database: str) -> Iterator[Database[Any]]:
    with MongoClient(mongo, tz_aware=True) as client:
        yield client[mongo_database]


@pytest.fixture
def counted(mongo: str) -> Iterator[dict[str, Any]]:
    with MongoClient(mongo, tz_aware=True) as client:
        feed(new_applier(client["counting_expected"], COUNTER, STREAMS), DENSE, largest=200)
        yield documents(client["counting_expected"], COUNTER)
        client.drop_database("counting_expected")


def test_a_lost_tail_is_not_counted_over(store: Database[Any], counted: dict[str, Any]) -> None:
    """The worker knows fences that the store has lost: a write on top of them would hide what is missing."""
    third = len(DENSE) // 3
    applier = new_applier(store, COUNTER, STREAMS)
    feed(applier, DENSE[:third], largest=200)
    before = {name: list(store[name].find()) for name in store.list_collection_names()}
    feed(applier, DENSE[: 2 * third], largest=200)
    for name, kept in before.items():
        store[name].delete_many({})
        if kept:
            store[name].insert_many(kept)
    with pytest.raises(Overtaken):
        applier.apply(pending(applier, DENSE), {})
    applier.reload(STREAMS)
    feed(applier, DENSE, largest=200)
    assert documents(store, COUNTER) == counted


@pytest.mark.parametrize("asks", [True, False])
def test_a_lost_document_is_not_taken_for_a_new_one(
    asks: bool, store: Database[Any], counted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store restarts under a worker that has just taken over: its first counts would hide those that were lost."""
    third, process = len(DENSE) // 3, "1"
    monkeypatch.setattr(checkpoints, "store_incarnation", lambda store: process)
    if not asks:
        monkeypatch.setattr(Applier, "_read_counters", lambda self, fold: None)
    feed(new_applier(store, COUNTER, STREAMS), DENSE[:third], largest=200)
    worker = new_applier(store, COUNTER, STREAMS)
    process = "2"
    for name in (worker.collection.name, "projection_checkpoints"):
        store[name].delete_many({})
    with pytest.raises(Overtaken):
        worker.apply(pending(worker, DENSE)[:200], {})
    worker.reload(STREAMS)
    feed(worker, DENSE, largest=200)
    assert (documents(store, COUNTER) == counted) == asks


def test_what_was_counted_late_is_not_counted_again(store: Database[Any], counted: dict[str, Any]) -> None:
    """Checkpoints lost, documents kept: a document may have nothing but late events of a partition, and no fence."""
    broken = poisoned(COUNTER, some_victims(DENSE, "OrderConfirmed", 60))
    feed(new_applier(store, broken, STREAMS), DENSE, largest=200)
    fixed = new_applier(store, COUNTER, STREAMS)
    recovery(fixed, DENSE).retry(letters_of(store))
    assert not fixed.stopped
    assert documents(store, COUNTER) == counted
    store["projection_checkpoints"].delete_many({})
    feed(new_applier(store, COUNTER, STREAMS), DENSE, largest=200)
    assert documents(store, COUNTER) == counted


def test_documents_of_a_batch_in_flight_are_past_more_than_the_retry_knows(
    store: Database[Any], counted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old worker has written the documents of its next batch, not its checkpoint, when the new one has retried."""
    half = DENSE[: len(DENSE) * 2 // 3]
    old = new_applier(store, poisoned(COUNTER, some_victims(DENSE, "OrderConfirmed", 60)), STREAMS)
    feed(old, half, largest=200)
    new = new_applier(store, COUNTER, STREAMS)
    retrying, marked = recovery(new, DENSE), letters_of(store)

    def suspended(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(old.checkpoints, "advance", suspended)
    with pytest.raises(KeyboardInterrupt):
        old.apply(pending(old, DENSE), {})
    with pytest.raises(Overtaken):
        retrying.retry(marked)
    new.reload(STREAMS)
    feed(new, DENSE, largest=30)
    recovery(new, DENSE).retry(letters_of(store))
    assert not new.stopped
    assert documents(store, COUNTER) == counted


@pytest.mark.parametrize("name", ["orders", "sales_by_day"])
def test_a_marker_far_beyond_the_checkpoint_holds_back_nothing_before_it(name: str, store: Database[Any]) -> None:
    """The store went back under a worker, to which an event then seemed not to follow."""
    projection = PROJECTIONS[name]
    applier = new_applier(store, projection, STREAMS)
    refused = next(e for e in DENSE if e.event_type == "OrderConfirmed" and e.aggregate_version > 2)
    refusal = Refusal(envelope=refused, error="VersionGap", error_class="VersionGap", fingerprint="0")
    applier.stopped_aggregates.stop([refusal], datetime.now(UTC))
    applier.reload(STREAMS)
    feed(applier, DENSE, largest=200)
    (stopped,) = applier.stopped.values()
    assert stopped.first_sequence == refused.sequence
    recovery(applier, DENSE).retry(letters_of(store))
    assert not applier.stopped
    assert documents(store, projection) == replay(projection, DENSE, plain_unseal)


def test_an_event_that_does_not_follow_stops_its_aggregate(store: Database[Any]) -> None:
    orders = PROJECTIONS["orders"]
    missing = next(envelope for envelope in DENSE if envelope.event_type == "OrderConfirmed")
    stream = [envelope for envelope in DENSE if envelope is not missing]
    feed(new_applier(store, orders, STREAMS), stream, largest=200)
    (marker,) = store["projection_stopped"].find()
    assert (marker["aggregate"], marker["first_version"]) == (missing.aggregate, missing.aggregate_version + 1)
    assert "VersionGap" in marker["error"]
    assert store["orders__g1"].find_one({"_id": str(missing.aggregate_id)})["order"]["version"] == (
        missing.aggregate_version - 1
    )


@pytest.mark.parametrize("change", [{"event_id": "another"}, {"sequence": 1}, {"stopped": {"order:1": 1}}])
def test_a_checkpoint_moves_only_from_what_is_held(change: dict[str, Any], store: Database[Any]) -> None:
    applier = new_applier(store, COUNTER, STREAMS)
    feed(applier, DENSE, largest=200)
    held = max(applier.held.values(), key=lambda checkpoint: checkpoint.sequence)
    further = replace(held, sequence=held.sequence + 1, event_id="next")
    with pytest.raises(Overtaken):
        applier.checkpoints.advance([(replace(held, **change), further)])
    applier.audit()
    applier.checkpoints.advance([(held, further)])
