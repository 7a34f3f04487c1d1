"""Feeding a stream to an applier as a worker would, with every trouble a worker meets; and reading what came out."""

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
from queries.documents.connection import collection_name
from tests.contract.history import plain_unseal

#: What may differ between runs: where in the stream things were, not what they say.
BOOKKEEPING = {"fences", "late", "topic", "partition", "sequence", "seen_at"}


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


def documents(store: Database[Any], projection: Projection) -> dict[str, Any]:
    """The live generation's documents without bookkeeping, by id, keys in canonical order."""
    collection = store[collection_name(projection.name, 1)]
    return {str(found["_id"]): _canonical(found) for found in collection.find()}


def _canonical(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _canonical(value[key]) for key in sorted(value) if key not in BOOKKEEPING}
    return [_canonical(item) for item in value] if isinstance(value, list) else value
