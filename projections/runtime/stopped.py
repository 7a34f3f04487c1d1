"""Aggregates that a projection has stopped at: kept in the store, shown by `status`, tried again at every start.

A marker is written before the documents and the checkpoint of its batch, so a checkpoint never passes a refused event
that is not remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import UpdateOne
from pymongo.database import Database

from projections.runtime.checkpoints import Stream
from projections.runtime.fold import Refusal

COLLECTION = "projection_stopped"
MAX_TEXT = 4000


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """From ``first_version`` (at ``first_sequence``) on, nothing of ``aggregate`` (``type:id``) is applied."""

    aggregate: str
    topic: str
    partition: int
    first_version: int
    first_sequence: int
    error: str


class StoppedAggregates:
    """The stopped aggregates of one generation."""

    def __init__(self, store: Database[dict[str, Any]], projection: str, generation: int) -> None:
        self._collection = store[COLLECTION]
        self._mine = {"projection": projection, "generation": generation}
        self._prefix = f"{projection}|{generation}|"

    def load(self, streams: Iterable[Stream]) -> dict[str, Stopped]:
        """Those in the given partitions, by aggregate."""
        wanted = set(streams)
        rows = self._collection.find(self._mine)
        return {
            row["aggregate"]: Stopped(
                aggregate=row["aggregate"],
                topic=row["topic"],
                partition=row["partition"],
                first_version=row["first_version"],
                first_sequence=row["first_sequence"],
                error=row["error"],
            )
            for row in rows
            if (row["topic"], row["partition"]) in wanted
        }

    def stop(self, refusals: list[Refusal], now: datetime) -> None:
        """Remembers the refusals; one that was there before keeps its first time and counts an attempt more."""
        operations = []
        for refusal in refusals:
            envelope = refusal.envelope
            values = {
                **self._mine,
                "aggregate": envelope.aggregate,
                "topic": envelope.topic,
                "partition": envelope.partition,
                "first_version": envelope.aggregate_version,
                "first_sequence": envelope.sequence,
                "event_type": envelope.event_type,
                "error": refusal.error[:MAX_TEXT],
                "traceback": refusal.traceback[-MAX_TEXT:],
                "last_at": now,
            }
            operations.append(
                UpdateOne(
                    {"_id": self._prefix + envelope.aggregate},
                    {"$set": values, "$inc": {"attempts": 1}, "$setOnInsert": {"first_at": now}},
                    upsert=True,
                )
            )
        if operations:
            self._collection.bulk_write(operations, ordered=False)

    def resume(self, aggregate: str) -> None:
        """Forgets the aggregate: all its events up to the checkpoint are applied."""
        self._collection.delete_one({"_id": self._prefix + aggregate})
