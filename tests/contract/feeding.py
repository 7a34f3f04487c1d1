"""Feeding a stream to an applier as a worker would, overtaken or not."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import Any, cast
from uuid import UUID

from pymongo.database import Database

from acme.contracts.envelope import Envelope
from acme.ports import EventLog, StreamHead
from projections.runtime.applier import Applier
from projections.runtime.documents import Overtaken
from projections.runtime.generations import open_live
from projections.runtime.intake import Arrived
from projections.runtime.mending import Mending
from projections.runtime.projection import Projection
from projections.runtime.recovery import Recovery
from projections.runtime.settings import AT_ONCE
from tests.contract.history import plain_unseal


def new_applier(store: Database[Any], projection: Projection, streams: set[tuple[str, int]]) -> Applier:
    applier = Applier(replace(projection, retry=AT_ONCE), open_live(store, projection), store, plain_unseal)
    applier.reload(streams)
    return applier


class ListLog:
    """The event log as a list: what a recovery asks of it."""

    def __init__(self, stream: list[Envelope]) -> None:
        self._stream = stream

    def read_aggregate(self, aggregate_type: str, aggregate_id: UUID, first_version: int) -> Iterator[Envelope]:
        return (
            e
            for e in sorted(self._stream, key=lambda e: e.sequence or 0)
            if (e.aggregate_type, e.aggregate_id) == (aggregate_type, aggregate_id)
            and e.aggregate_version >= first_version
        )

    def event_ids(self, positions: Iterable[tuple[str, int, int]]) -> dict[tuple[str, int, int], UUID]:
        known = {(e.topic, e.partition, e.sequence or 0): e.event_id for e in self._stream}
        return {place: known[place] for place in positions if place in known}


class WholeLog(ListLog):
    """The log with its heads."""

    def __init__(self, stream: list[Envelope]) -> None:
        super().__init__(stream)
        self._events = sorted(stream, key=lambda event: event.sequence or 0)

    def heads(self, topics: Iterable[str]) -> list[StreamHead]:
        last: dict[tuple[str, int], int] = {}
        for event in self._events:
            if event.topic in set(topics):
                last[event.topic, event.partition] = event.sequence or 0
        return [
            StreamHead(topic=topic, partition=number, sequence=sequence, published=sequence, log_epoch=1)
            for (topic, number), sequence in sorted(last.items())
        ]

    def read(self, topic: str, partition: int, first: int, last: int) -> Iterator[Envelope]:
        place = (topic, partition)
        return (e for e in self._events if (e.topic, e.partition) == place and first <= (e.sequence or 0) <= last)


def recovery(applier: Applier, stream: list[Envelope]) -> Recovery:
    """The applier's recovery after a take-over."""
    log = cast(EventLog, ListLog(stream))
    Mending(applier, log).tidy()
    return Recovery(applier, log)


def letters_of(store: Database[Any], **chosen: Any) -> list[dict[str, Any]]:
    """Parked letters in order, as a request would mark them."""
    rows = store["projection_dead_letters"].find({"state": "parked", **chosen})
    return list(rows.sort([("topic", 1), ("partition", 1), ("sequence", 1)]))


def relevant(projection: Projection, stream: list[Envelope]) -> list[Envelope]:
    """What the projection's topics carry."""
    return [envelope for envelope in stream if envelope.topic in projection.topics]


def streams_of(stream: list[Envelope]) -> set[tuple[str, int]]:
    return {(envelope.topic, envelope.partition) for envelope in stream}


def pending(applier: Applier, stream: list[Envelope]) -> list[Arrived]:
    """What the checkpoints do not have yet, in stream order."""
    return [
        Arrived(envelope=envelope, offset=envelope.sequence or 0)
        for envelope in stream
        if (envelope.sequence or 0) > applier.held[envelope.topic, envelope.partition].sequence
    ]


def feed(applier: Applier, stream: list[Envelope], *, seed: int = 0, largest: int = 40) -> None:
    """All of the stream, in batches with random borders, each folded while the one before is written; loads checkpoints
    again whenever it is overtaken."""
    borders = random.Random(seed)
    size = borders.randint(1, largest)
    while waiting := pending(applier, stream):
        following = waiting[size : size + borders.randint(1, largest)]
        try:
            applier.apply(waiting[:size], {}, partial(applier.fold_ahead, following))
        except Overtaken:
            applier.reload(streams_of(stream))
        size = len(following) or largest
