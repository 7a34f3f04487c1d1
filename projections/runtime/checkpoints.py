"""Checkpoints: the truth about what a generation has applied, per topic and partition, written with compare-and-set.

A checkpoint also names the aggregates whose events it has passed over. Stopping one and letting it go on are therefore
moves of the same compare-and-set: neither can happen behind the back of a worker that still writes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
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
    ``stopped``: aggregates (``type:id``) of which at least one event at or below ``sequence`` was not applied.
    """

    topic: str
    partition: int
    sequence: int = 0
    event_id: str | None = None
    offset: int = -1
    topic_identity: str = ""
    log_epoch: int | None = None
    recorded_at: datetime | None = None
    stopped: frozenset[str] = frozenset()

    @cached_property
    def stopped_print(self) -> str:
        """What of ``stopped`` is compared; empty where there is none."""
        return blake2b("|".join(sorted(self.stopped)).encode(), digest_size=12).hexdigest() if self.stopped else ""

    def same_as(self, other: Checkpoint) -> bool:
        """Whether both tell of the same events, applied and passed over."""
        return (self.event_id, self.stopped_print) == (other.event_id, other.stopped_print)

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
                    stopped=frozenset(row.get("stopped", ())),
                )
            )
        return loaded

    def advance(self, moves: Iterable[tuple[Checkpoint, Checkpoint]]) -> None:
        """Moves each from the checkpoint that is held to the next one, in one bulk write. Raises `Overtaken`."""
        write_guarded(self._collection, [self._move(held, reached) for held, reached in moves])

    def _move(self, held: Checkpoint, reached: Checkpoint) -> UpdateOne:
        filter_: dict[str, Any] = {"_id": self._key(held.stream)}
        filter_["sequence"] = held.sequence if held.event_id else {"$exists": False}
        filter_["stopped_print"] = held.stopped_print or {"$exists": False}
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
        update: dict[str, Any] = {"$set": values}
        if reached.stopped_print != held.stopped_print:
            named = {"stopped": sorted(reached.stopped), "stopped_print": reached.stopped_print}
            if reached.stopped:
                values.update(named)
            else:
                update["$unset"] = dict.fromkeys(named, "")
        return UpdateOne(filter_, update, upsert=not held.event_id)
