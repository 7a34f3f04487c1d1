"""Feeding a stream to an applier as a worker would, overtaken or not."""

from __future__ import annotations

import random
from typing import Any

from pymongo.database import Database

from acme.contracts.envelope import Envelope
from projections.runtime.applier import Applier
from projections.runtime.documents import Overtaken
from projections.runtime.generations import open_live
from projections.runtime.intake import Arrived
from projections.runtime.projection import Projection
from tests.contract.history import plain_unseal


def new_applier(store: Database[Any], projection: Projection, streams: set[tuple[str, int]]) -> Applier:
    applier = Applier(projection, open_live(store, projection), store, plain_unseal)
    applier.reload(streams)
    return applier


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
    """All of the stream, in batches with random borders; loads checkpoints again whenever it is overtaken."""
    borders = random.Random(seed)
    while waiting := pending(applier, stream):
        try:
            applier.apply(waiting[: borders.randint(1, largest)], {})
        except Overtaken:
            applier.reload(streams_of(stream))
