"""What a checkpoint says of Kafka, and what one remembers that is set back after a restart of the store."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec
import pytest
from pymongo.database import Database

from projections.registry import PROJECTIONS
from projections.runtime.checkpoints import Checkpoints
from projections.runtime.documents import Overtaken
from tests.contract.feeding import feed, new_applier, pending, relevant, streams_of
from tests.contract.history import History, plain_unseal
from tests.oracle import replay
from tests.oracle import stored as documents

CARTS = PROJECTIONS["carts"]
STREAM = relevant(CARTS, History(seed=3).interleaved(3))
STREAMS = streams_of(STREAM)


@pytest.mark.parametrize("largest", [1000, 2], ids=["to nothing at all", "by one batch"])
def test_the_event_it_had_come_to_is_remembered_until_it_is_there_again(largest: int, store: Database[Any]) -> None:
    applier = new_applier(store, CARTS, STREAMS)
    feed(applier, STREAM, largest=largest)
    reached = dict(applier.held)
    after = Checkpoints(store, "carts", 1).take_over(STREAMS, "another process")
    for stream, held in after.items():
        assert held.sequence < reached[stream].sequence
        assert (largest == 2) or held.sequence == 0
        assert held.witness == (reached[stream].sequence, reached[stream].event_id)
    again = Checkpoints(store, "carts", 1).take_over(STREAMS, "a third")
    assert {s: (h.sequence, h.witness) for s, h in again.items()} == {
        s: (h.sequence, h.witness) for s, h in after.items()
    }
    applier.reload(STREAMS)
    feed(applier, STREAM, largest=3)
    assert {s: h.event_id for s, h in applier.held.items()} == {s: h.event_id for s, h in reached.items()}
    assert store["projection_checkpoints"].count_documents({"witness": {"$exists": True}}) == 0
    assert documents(store, CARTS) == replay(CARTS, STREAM, plain_unseal)


def test_offsets_are_those_of_the_last_record_from_kafka(store: Database[Any]) -> None:
    """Events read from the log have none: Kafka is known as far as before."""
    applier = new_applier(store, CARTS, STREAMS)
    batch = [
        msgspec.structs.replace(item, offset=-1 if (item.envelope.sequence or 0) % 2 else item.offset + 100)
        for item in pending(applier, STREAM)
    ]
    applier.apply(batch, {"acme.carts": "of this Kafka"})
    stored = Checkpoints(store, "carts", 1).load(STREAMS)
    lengths = {stream: sum((e.topic, e.partition) == stream for e in STREAM) for stream in STREAMS}
    assert {stream: held.sequence for stream, held in stored.items()} == lengths
    for held in stored.values():
        even = held.sequence // 2 * 2
        assert held.offset == (even + 100 if even else -1)
        assert held.topic_identity == ("of this Kafka" if even else "")
    assert any(held.sequence % 2 for held in stored.values())


def test_what_is_read_from_the_log_leaves_kafka_known_as_far_as_before(store: Database[Any]) -> None:
    applier = new_applier(store, CARTS, STREAMS)
    first, rest = [], []
    for item in pending(applier, STREAM):
        (first if item.envelope.sequence == 1 else rest).append(item)
    applier.apply([msgspec.structs.replace(item, offset=100) for item in first], {"acme.carts": "of this Kafka"})
    applier.apply([msgspec.structs.replace(item, offset=-1) for item in rest], {"acme.carts": "of another"})
    stored = Checkpoints(store, "carts", 1).load(STREAMS)
    assert rest
    assert {(held.offset, held.topic_identity) for held in stored.values()} == {(100, "of this Kafka")}


def test_of_two_that_make_the_same_documents_at_once_one_is_overtaken(
    store: Database[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither has seen them; what the first has inserted stays as it is, and the second goes on from there."""
    first, second = (new_applier(store, CARTS, STREAMS) for _ in range(2))
    late = pending(second, STREAM)
    documents_of_second = second.writer._documents
    load = documents_of_second.load

    def load_and_be_overtaken(keys: Iterable[str]) -> None:
        load(keys)
        feed(first, STREAM)

    with monkeypatch.context() as between:
        between.setattr(documents_of_second, "load", load_and_be_overtaken)
        with pytest.raises(Overtaken, match="inserted by somebody else"):
            second.apply(late[:30], {})
    second.reload(STREAMS)
    assert pending(second, STREAM) == []
    assert documents(store, CARTS) == replay(CARTS, STREAM, plain_unseal)
