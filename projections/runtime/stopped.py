"""Aggregates that a projection has stopped at: from their first parked event on they wait for an operator.

A marker is written before the dead letters, the documents and the checkpoint of its batch, and says up to which
sequence events of its aggregate are passed over. So no checkpoint, and no fence of a document, passes an event that is
not remembered.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from pymongo import DeleteOne, UpdateOne
from pymongo.database import Database

from projections.runtime.checkpoints import Stream
from projections.runtime.documents import write_guarded
from projections.runtime.fold import Refusal

COLLECTION = "projection_stopped"
MAX_TEXT = 4000


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """From ``first_version`` (at ``first_sequence``) on, nothing of ``aggregate`` (``type:id``) is applied.

    ``passed_to``: sequence of its last event that some batch has passed over, with or without its checkpoint.
    """

    aggregate: str
    topic: str
    partition: int
    first_version: int
    first_sequence: int
    passed_to: int
    error: str
    fingerprint: str = ""

    @property
    def stream(self) -> Stream:
        return self.topic, self.partition


def marker_of(aggregate: str, stream: Stream, first: int, known: Stopped | None, passed_to: int) -> Stopped:
    """The marker that a checkpoint's name stands for; its version is looked up later."""
    if known is not None:
        return replace(known, first_sequence=first, first_version=0, passed_to=max(known.passed_to, passed_to))
    return Stopped(
        aggregate=aggregate,
        topic=stream[0],
        partition=stream[1],
        first_version=0,
        first_sequence=first,
        passed_to=passed_to,
        error="its marker was lost",
    )


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
                passed_to=row["passed_to"],
                error=row["error"],
                fingerprint=row.get("fingerprint", ""),
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
                "fingerprint": refusal.fingerprint,
                "last_at": now,
            }
            operations.append(
                UpdateOne(
                    {"_id": self._prefix + envelope.aggregate},
                    {
                        "$set": values,
                        "$inc": {"attempts": refusal.attempts},
                        "$max": {"passed_to": refusal.passed_to},
                        "$setOnInsert": {"first_at": now},
                    },
                    upsert=True,
                )
            )
        if operations:
            self._collection.bulk_write(operations, ordered=False)

    def pass_over(self, moved: Iterable[tuple[Stopped, int]]) -> None:
        """Raises ``passed_to`` of each. Raises `Overtaken` where the aggregate goes on, or another worker is faster."""
        write_guarded(
            self._collection,
            [UpdateOne(self._as_read(stopped), {"$set": {"passed_to": to}}) for stopped, to in moved],
        )

    def move(self, stopped: Stopped, moved: Stopped, now: datetime) -> None:
        """The aggregate has come further, and waits before another event now. Raises `Overtaken`."""
        change = {"$set": {**self._values(moved), "last_at": now}, "$inc": {"attempts": 1}}
        write_guarded(self._collection, [UpdateOne(self._as_read(stopped), change)])

    def mend(self, stopped: Stopped, now: datetime) -> None:
        """Writes the marker as the checkpoint has it, whatever there is."""
        change = {"$set": {**self._values(stopped), "last_at": now}, "$setOnInsert": {"first_at": now, "attempts": 0}}
        self._collection.update_one({"_id": self._prefix + stopped.aggregate}, change, upsert=True)

    def _values(self, stopped: Stopped) -> dict[str, Any]:
        return {**self._mine, **asdict(stopped), "error": stopped.error[:MAX_TEXT]}

    def forget(self, markers: Iterable[Stopped]) -> bool:
        """Takes the markers away; False when one is gone or has changed since it was read."""
        operations = [DeleteOne(self._as_read(stopped)) for stopped in markers]
        if not operations:
            return True
        return self._collection.bulk_write(operations, ordered=False).deleted_count == len(operations)

    def _as_read(self, stopped: Stopped) -> dict[str, Any]:
        return {
            "_id": self._prefix + stopped.aggregate,
            "first_sequence": stopped.first_sequence,
            "passed_to": stopped.passed_to,
        }
