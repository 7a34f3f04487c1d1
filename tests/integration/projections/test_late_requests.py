"""Requests of operators under a store that was restarted, workers that come late, processes that were suspended.

Found by the model (`tests/model`); here each by itself, on a real server.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pymongo.database import Database

from projections.registry import PROJECTIONS
from projections.runtime import checkpoints, operations, requests
from projections.runtime.documents import Overtaken
from projections.runtime.letterbox import Selection
from projections.runtime.operations import Operations
from projections.runtime.recovery import DocumentsAhead
from projections.runtime.writer import Writer
from tests.contract.feeding import feed, letters_of, new_applier, recovery, streams_of
from tests.integration.projections.test_recovery import (
    carry_out,
    expected_of,
    started,
    stopped_shop,
    stream_of,
)
from tests.oracle import stored as documents


def test_what_a_lost_request_has_marked_can_be_asked_for_again(store: Database[Any]) -> None:
    """The store was restarted while an operator's process marked letters: it has the marks, and not the request."""
    projection = PROJECTIONS["orders"]
    stopped_shop(store, projection)
    lost = requests.ask_retry(store, "orders", Selection(everything=True), by="anna")
    store["projection_requests"].delete_one({"_id": lost.id})
    asked = requests.ask_retry(store, "orders", Selection(everything=True), by="anna")
    assert asked.total == lost.total
    carry_out(store, projection, asked)
    assert documents(store, projection) == expected_of(projection)


def test_what_a_closed_request_has_marked_can_be_asked_for_again(store: Database[Any]) -> None:
    """It was closed in one process of the store, which had the letters' marks back after the next restart."""
    projection = PROJECTIONS["orders"]
    stopped_shop(store, projection)
    closed = requests.ask_discard(store, "orders", Selection(everything=True), by="anna", reason="a test")
    store["projection_requests"].update_one({"_id": closed.id}, {"$set": {"state": requests.DONE}})
    asked = requests.ask_retry(store, "orders", Selection(everything=True), by="anna")
    assert asked.total == closed.total
    carry_out(store, projection, asked)
    assert documents(store, projection) == expected_of(projection)


@pytest.mark.parametrize("when", ["fold_discarded", "write_late"])
def test_a_store_that_restarts_amid_a_discard_keeps_the_gap_in_mind(
    when: str, store: Database[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It loses the notes of the letters; documents that pass over their events go to the next process."""
    projection, process = PROJECTIONS["orders"], "1"
    monkeypatch.setattr(checkpoints, "store_incarnation", lambda store: process)
    stopped_shop(store, projection)
    requests.ask_discard(store, "orders", Selection(everything=True), by="anna", reason="a test")
    marked = letters_of(store)
    applier = started(store, projection)
    original = getattr(Writer, when)

    def restarted(self: Writer, *arguments: Any, **options: Any) -> Any:
        nonlocal process
        process = "2"
        store["projection_dead_letters"].delete_many({})
        store["projection_dead_letters"].insert_many(marked)
        return original(self, *arguments, **options)

    monkeypatch.setattr(Writer, when, restarted)
    with pytest.raises(Overtaken):
        recovery(applier, stream_of(projection)).discard(marked, by="anna", reason="a test")
    noted = store["projection_dead_letters"].count_documents({"discarded_at": {"$exists": True}})
    assert noted == len(marked)


def test_letters_of_a_partition_that_was_taken_away_are_left_to_its_owner(store: Database[Any]) -> None:
    """A worker may still take it for one that waits for room among the letters."""
    projection = PROJECTIONS["orders"]
    stopped_shop(store, projection)
    requests.ask_retry(store, "orders", Selection(everything=True), by="anna")
    stream = stream_of(projection)
    applier = new_applier(store, projection, set())
    mine = Operations(store, applier, recovery(applier, stream), at_once=100)
    mine.look()
    before = letters_of(store)
    assert not mine.step(streams_of(stream))
    assert letters_of(store) == before


def test_a_process_that_was_suspended_does_not_rest_for_as_long(
    store: Database[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was stopped for hours while it looked whether others still carry out a request."""
    projection, now = PROJECTIONS["orders"], 1000.0
    stopped_shop(store, projection)
    asked = requests.ask_retry(store, "orders", Selection(everything=True), by="anna")
    applier = started(store, projection)
    mine = Operations(store, applier, recovery(applier, stream_of(projection)), at_once=100)

    def suspended(*arguments: Any) -> bool:
        nonlocal now
        now += 7200
        return is_open(*arguments)

    is_open = operations.is_open
    monkeypatch.setattr(operations, "time", SimpleNamespace(monotonic=lambda: now))
    monkeypatch.setattr(operations, "is_open", suspended)
    mine.look()
    assert not mine.step(set())  # the letters' partitions are others'
    monkeypatch.setattr(operations, "is_open", is_open)
    now += operations.LONGEST_REST
    while not requests.progress(store, asked.id).finished:
        mine.look()
        mine.step(set(applier.held))
        now += operations.LONGEST_REST
        assert now < 20_000


def test_a_resync_that_comes_late_does_not_set_a_document_back(store: Database[Any]) -> None:
    """Its worker was suspended, and its partition has a new owner, who has applied more of the aggregate's events."""
    projection = PROJECTIONS["orders"]
    stream = stream_of(projection)
    last = next(e for e in reversed(stream) if e.event_type == "OrderCompleted")
    late = new_applier(store, projection, streams_of(stream))
    feed(late, stream[: stream.index(last)])
    resyncing = recovery(late, stream)
    feed(new_applier(store, projection, streams_of(stream)), stream)
    with pytest.raises(DocumentsAhead):
        resyncing.resync(last.aggregate)
    asked = requests.ask_resync(store, projection, last.aggregate, by="anna")
    mine = Operations(store, late, resyncing, at_once=100)
    mine.look()
    mine.step(streams_of(stream))
    assert documents(store, projection) == expected_of(projection)
    assert not requests.progress(store, asked.id).finished
    late.reload(streams_of(stream))
    assert resyncing.resync(last.aggregate) == last.aggregate_version


def test_a_resync_that_comes_late_does_not_undo_a_retry(store: Database[Any]) -> None:
    """Its worker takes the aggregate for stopped, which goes on in another's hands."""
    projection = PROJECTIONS["orders"]
    stream = stream_of(projection)
    stopped_shop(store, projection)
    late = started(store, projection)
    resyncing = recovery(late, stream)
    begun = sorted(name for name, marker in late.stopped.items() if marker.first_version > 1)
    carry_out(store, projection, requests.ask_retry(store, "orders", Selection(everything=True), by="anna"))
    for aggregate in begun:
        with pytest.raises(DocumentsAhead):
            resyncing.resync(aggregate)
    assert begun and documents(store, projection) == expected_of(projection)
    late.reload(streams_of(stream))
    assert [resyncing.resync(aggregate) for aggregate in begun]
    assert documents(store, projection) == expected_of(projection)


def test_a_resync_waits_for_a_log_that_lacks_what_was_applied(store: Database[Any]) -> None:
    """PostgreSQL was just restored to a moment before the last event; it may get it again, under the same sequence."""
    projection = PROJECTIONS["orders"]
    stream = stream_of(projection)
    last = next(e for e in reversed(stream) if e.event_type == "OrderCompleted")
    applier = new_applier(store, projection, streams_of(stream))
    feed(applier, stream[: stream.index(last) + 1])
    with pytest.raises(DocumentsAhead):
        recovery(applier, stream[: stream.index(last)]).resync(last.aggregate)


def test_a_resync_mends_a_version_that_no_event_has(store: Database[Any]) -> None:
    projection = PROJECTIONS["orders"]
    stream = stream_of(projection)
    applier = new_applier(store, projection, streams_of(stream))
    feed(applier, stream)
    order = next(e for e in stream if e.event_type == "OrderCompleted")
    applier.collection.update_one({"_id": str(order.aggregate_id)}, {"$set": {"order.version": 99}})
    applier.reload(streams_of(stream))
    recovery(applier, stream).resync(order.aggregate)
    assert documents(store, projection) == expected_of(projection)
