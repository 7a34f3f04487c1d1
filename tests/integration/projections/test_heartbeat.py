"""A worker that nobody gives partitions asks whether others have them: dead ones do not count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo import MongoClient

from projections.runtime.heartbeat import Heartbeat
from projections.runtime.liveness import SILENT, Liveness


def test_a_worker_that_was_killed_while_its_clock_was_ahead_does_not_work(mongo: str, mongo_database: str) -> None:
    now = 0.0
    with MongoClient[dict[str, Any]](mongo, tz_aware=True) as client:
        store = client[mongo_database]
        asks = Heartbeat(store, None, "products", 1, "products|here|1|1")  # type: ignore[arg-type]
        asks._liveness = Liveness(lambda: now)
        assert not asks.somebody_works()
        ahead = datetime.now(UTC) + timedelta(hours=6)
        row = {
            "projection": "products",
            "generation": 1,
            "seen_at": ahead,
            "lease_until": ahead + timedelta(seconds=10),
        }
        store["projection_workers"].insert_one({"_id": "products|there|2|1", **row, "partitions": [{"partition": 0}]})
        assert asks.somebody_works()
        now = SILENT + 0.1
        assert not asks.somebody_works()
