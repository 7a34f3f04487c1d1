"""Samples of lag: taken of all projections at once, read back for one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from pymongo import ReplaceOne

from projections.registry import PROJECTIONS
from projections.runtime.generations import ensure_indexes
from projections.runtime.letterbox import Store
from queries.documents.lag import read_lag
from queries.documents.lag_history import LagSample

INTERVAL = timedelta(seconds=15)
COLLECTION = LagSample._meta["collection"]


@dataclass(frozen=True, kw_only=True)
class Sample:
    """``seconds`` and ``waiting`` (events) are None when nobody knew."""

    at: datetime
    seconds: float | None
    waiting: int | None
    parked: int = 0


def take_samples(store: Store, *, now: datetime | None = None) -> int:
    """Writes one sample for each projection that was ever run; returns how many. Raises pymongo's errors."""
    moment = now or datetime.now(UTC)
    slot = int(moment.timestamp() // INTERVAL.total_seconds())
    ensure_indexes(LagSample, store[COLLECTION])
    known = {row["_id"] for row in store["projection_pointers"].find({}, {"_id": 1})}
    samples = [_sample(name, slot, moment) for name in PROJECTIONS if name in known]
    if samples:
        store[COLLECTION].bulk_write([ReplaceOne({"_id": row["_id"]}, row, upsert=True) for row in samples])
    return len(samples)


def _sample(name: str, slot: int, now: datetime) -> dict[str, object]:
    lag = read_lag(name, now=now)
    known = not lag.unknown and lag.seconds is not None
    return {
        "_id": f"{name}|{slot}",
        "projection": name,
        "at": now,
        "seconds": lag.seconds if known else None,
        "waiting": lag.events if known else None,
        "parked": lag.parked,
    }


def read_samples(store: Store, projection: str, since: datetime) -> list[Sample]:
    """The samples of one projection from that moment on, oldest first."""
    rows = store[COLLECTION].find({"projection": projection, "at": {"$gte": since}}).sort("at")
    return [
        Sample(at=row["at"], seconds=row["seconds"], waiting=row["waiting"], parked=row.get("parked", 0))
        for row in rows
    ]
