"""What a worker tells the store once a second: stream heads, backlog, its own state, the oldest waiting event.

The query side knows lag only through these documents; a head that is no longer refreshed makes it unknown, not zero.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from pymongo import UpdateOne
from pymongo.database import Database

from acme.ports import EventLog, StreamHead
from projections.runtime.checkpoints import Checkpoint, Stream
from projections.runtime.liveness import Liveness

#: How long a heartbeat without a lease (of an older version) counts.
ALIVE = timedelta(seconds=10)


def worker_key(projection: str) -> str:
    """The key of the heartbeat of the worker in this thread. Raises nothing; unique per host, process and worker."""
    return f"{projection}|{socket.gethostname()}|{os.getpid()}|{next(_numbers)}"


def alive(now: datetime) -> dict[str, Any]:
    """What finds the heartbeats of workers that are alive: their leases have not ended."""
    return {"lease_until": {"$gt": now}}


_numbers = count(1)


class Heartbeat:
    """One worker's heartbeat; `stream_heads` are common to all workers, the latest writer wins (heads only grow)."""

    def __init__(
        self, store: Database[dict[str, Any]], log: EventLog, projection: str, generation: int, key: str
    ) -> None:
        self._store, self._log = store, log
        self._host, self._pid = socket.gethostname(), os.getpid()
        self._projection, self._generation = projection, generation
        self._id = key
        self._liveness = Liveness()
        self._started = self._complete_to = datetime.now(UTC)

    def copy_heads(self, topics: tuple[str, ...]) -> dict[Stream, StreamHead]:
        """Reads the heads from the log and copies them to the store. Raises engines' failures."""
        # In this order: an event that is no longer in the backlog has its number, and so is in the heads.
        backlog = self._log.backlog()
        now = datetime.now(UTC)
        heads = self._log.heads(topics)
        self._complete_to = backlog.complete_to
        self._store["stream_heads"].bulk_write(
            [
                UpdateOne(
                    {"_id": f"{head.topic}|{head.partition}"},
                    {
                        "$set": {
                            "topic": head.topic,
                            "partition": head.partition,
                            "sequence": head.sequence,
                            "published": head.published,
                            "log_epoch": head.log_epoch,
                            "seen_at": now,
                            "complete_to": self._complete_to,
                        }
                    },
                    upsert=True,
                )
                for head in heads
            ],
            ordered=False,
        )
        self._store["outbox_backlog"].update_one(
            {"_id": "outbox"},
            {"$set": {"events": backlog.events, "oldest_recorded_at": backlog.oldest_recorded_at, "seen_at": now}},
            upsert=True,
        )
        return {(head.topic, head.partition): head for head in heads}

    def beat(
        self,
        held: Mapping[Stream, Checkpoint],
        heads: Mapping[Stream, StreamHead],
        *,
        state: str,
        blocked: list[dict[str, Any]],
        rate: int,
        lease: float,
        handing_over: str = "",
    ) -> None:
        """Writes the worker's own document, its lease for so many seconds included.

        ``heads`` are those of the last `copy_heads`; ``handing_over``: the hand-over for which it rests.
        """
        now = datetime.now(UTC)
        behind = [
            (topic, partition, checkpoint.sequence + 1)
            for (topic, partition), checkpoint in held.items()
            if (topic, partition) in heads and heads[topic, partition].sequence > checkpoint.sequence
        ]
        waiting = self._log.recorded_at(behind) if behind else {}
        partitions = [
            {
                "topic": topic,
                "partition": partition,
                "sequence": checkpoint.sequence,
                "oldest_unapplied_at": waiting.get((topic, partition)),
            }
            for (topic, partition), checkpoint in sorted(held.items())
        ]
        self._store["projection_workers"].update_one(
            {"_id": self._id},
            {
                "$set": {
                    "projection": self._projection,
                    "generation": self._generation,
                    "host": self._host,
                    "pid": self._pid,
                    "state": state,
                    "detail": "; ".join(f"{b['topic']}[{b['partition']}]: {b['why']}" for b in blocked),
                    "blocked": blocked,
                    "partitions": partitions,
                    "events_per_second": rate,
                    "handing_over": handing_over,
                    "started_at": self._started,
                    "complete_to": self._complete_to,
                    "seen_at": now,
                    "lease_until": now + timedelta(seconds=lease),
                }
            },
            upsert=True,
        )

    def somebody_works(self) -> bool:
        """Whether any worker of this generation holds partitions and is alive, by what is seen of its heartbeat."""
        holding = {"projection": self._projection, "generation": self._generation, "partitions.0": {"$exists": True}}
        rows = self._store["projection_workers"].find(holding, {"seen_at": 1, "lease_until": 1})
        lives = [self._liveness.is_alive(row) for row in rows]  # each is looked at every time
        return any(lives)

    def leave(self) -> None:
        """Takes the worker's document away at a clean stop."""
        self._store["projection_workers"].delete_one({"_id": self._id})
