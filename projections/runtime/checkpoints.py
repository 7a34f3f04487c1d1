"""Checkpoints: the truth about what a generation has applied, per topic and partition, written with compare-and-set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from pymongo import UpdateOne
from pymongo.database import Database

from acme.contracts.envelope import Envelope
from projections.runtime.documents import write_guarded

Stream = tuple[str, int]
COLLECTION = "projection_checkpoints"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Where one partition stands: ``sequence`` 0 and epoch None before anything was applied.

    ``offset`` is the Kafka offset of the last record seen under ``topic_identity``; -1 when none was.
    """

    topic: str
    partition: int
    sequence: int = 0
    event_id: str | None = None
    offset: int = -1
    topic_identity: str = ""
    log_epoch: int | None = None
    recorded_at: datetime | None = None

    @property
    def stream(self) -> Stream:
        return self.topic, self.partition

    def after(self, envelope: Envelope, *, offset: int, topic_identity: str) -> Checkpoint:
        """The checkpoint once this event (and all before it) is applied."""
        return replace(
            self,
            sequence=envelope.sequence or 0,
            event_id=str(envelope.event_id),
            offset=offset,
            topic_identity=topic_identity,
            log_epoch=envelope.log_epoch,
            recorded_at=envelope.recorded_at,
        )


class Checkpoints:
    """The checkpoints of one generation."""

    def __init__(self, store: Database[dict[str, Any]], projection: str, generation: int) -> None:
        self._collection = store[COLLECTION]
        self._projection, self._generation = projection, generation

    def _key(self, stream: Stream) -> str:
        return f"{self._projection}|{self._generation}|{stream[0]}|{stream[1]}"

    def load(self, streams: Iterable[Stream]) -> dict[Stream, Checkpoint]:
        """As the primary has them now; a fresh `Checkpoint` where there is none."""
        wanted = {self._key(stream): stream for stream in streams}
        rows = {row["_id"]: row for row in self._collection.find({"_id": {"$in": list(wanted)}})}
        loaded = {}
        for key, (topic, partition) in wanted.items():
            row = rows.get(key)
            loaded[topic, partition] = (
                Checkpoint(topic=topic, partition=partition)
                if row is None
                else Checkpoint(
                    topic=topic,
                    partition=partition,
                    sequence=row["sequence"],
                    event_id=row["event_id"],
                    offset=row["offset"],
                    topic_identity=row["topic_identity"],
                    log_epoch=row["log_epoch"],
                    recorded_at=row["recorded_at"],
                )
            )
        return loaded

    def advance(self, moves: Iterable[tuple[Checkpoint, Checkpoint]]) -> None:
        """Moves each from the checkpoint that is held to the next one, in one bulk write. Raises `Overtaken`."""
        operations = []
        for held, reached in moves:
            filter_: dict[str, Any] = {"_id": self._key(held.stream)}
            filter_["sequence"] = held.sequence if held.event_id else {"$exists": False}
            if held.event_id:
                filter_["event_id"] = held.event_id
            values = {
                "projection": self._projection,
                "generation": self._generation,
                "topic": reached.topic,
                "partition": reached.partition,
                "sequence": reached.sequence,
                "event_id": reached.event_id,
                "offset": reached.offset,
                "topic_identity": reached.topic_identity,
                "log_epoch": reached.log_epoch,
                "recorded_at": reached.recorded_at,
            }
            operations.append(UpdateOne(filter_, {"$set": values}, upsert=not held.event_id))
        write_guarded(self._collection, operations)
