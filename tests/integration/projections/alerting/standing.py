"""Bookkeeping of a projection as its workers leave it in MongoDB, by a clock of the test's own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo.database import Database

from projections.registry import PROJECTIONS

Row = dict[str, Any]


@dataclass(frozen=True)
class Standing:
    """What one projection's documents say at a moment."""

    store: Database[Row]
    name: str = "products"

    def well(self, now: datetime) -> None:
        """Run, caught up, one worker whose lease holds for ten seconds more."""
        topics = list(PROJECTIONS[self.name].topics)
        self._put("projection_pointers", {"_id": self.name, "live": 1, "version": 1, "topics": topics, "group": 0})
        self.heads(now)
        self.worker(now)

    def heads(self, now: datetime, sequence: int = 0) -> None:
        for topic in PROJECTIONS[self.name].topics:
            place = {"_id": f"{topic}|0", "topic": topic, "partition": 0, "log_epoch": 1}
            self._put("stream_heads", {**place, "sequence": sequence, "published": sequence, "seen_at": now})

    def worker(self, now: datetime, pid: int = 7, **more: Any) -> None:
        place = {"projection": self.name, "generation": 1, "host": "h1", "pid": pid, "partitions": []}
        times = {"started_at": now, "seen_at": now, "complete_to": now, "lease_until": now + timedelta(seconds=10)}
        said = {"state": "running", "detail": "", "events_per_second": 0}
        self._put("projection_workers", {"_id": f"{self.name}|h1|{pid}|1", **place, **times, **said, **more})

    def letters(self, now: datetime, failing: int = 1, held: int = 0, **more: Any) -> None:
        for number in range(failing + held):
            place = {"projection": self.name, "generation": 1, "topic": "acme.catalog", "partition": 0}
            error = {"fingerprint": "0a1b2c", "held": number >= failing, "first_at": now, "state": "parked"}
            if number < failing:
                error |= {"error": "ValueError: no price of ann@acme.test", "error_class": "builtins.ValueError"}
            key = f"{self.name}|1|acme.catalog|0|{number}"
            self._put("projection_dead_letters", {"_id": key, **place, **error, "event_type": "ProductRenamed", **more})

    def _put(self, collection: str, row: Row) -> None:
        self.store[collection].replace_one({"_id": row["_id"]}, row, upsert=True)
