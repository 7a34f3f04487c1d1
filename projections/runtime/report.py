"""What operators see of projections: state and lag of each, as plain values for tables and JSON."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from pymongo.database import Database

from acme.contracts.envelope import time_text
from projections.runtime.generations import POINTERS, rebuild_due
from projections.runtime.heartbeat import alive
from projections.runtime.letterbox import DISCARDED
from projections.runtime.projection import Projection
from queries.documents.lag import Lag, read_lag

#: Of thousands of stopped aggregates the oldest are enough: `projector dlq list` has them all.
STOPPED_SHOWN = 100


def lag_rows(projections: Iterable[Projection]) -> list[dict[str, Any]]:
    """One row per projection; see `queries.documents.lag.Lag` for the units."""
    return [_lag_row(read_lag(projection.name)) for projection in projections]


def _lag_row(lag: Lag) -> dict[str, Any]:
    known = not lag.unknown and lag.seconds is not None
    now = datetime.now(UTC)
    return {
        "projection": lag.projection,
        "generation": lag.generation,
        "lag": "known" if known else "unknown",
        "unnumbered": lag.unnumbered,
        "unacknowledged": lag.unacknowledged,
        "unprojected": lag.unprojected,
        "parked": lag.parked,
        "parked_seconds": round((now - lag.parked_since).total_seconds(), 1) if lag.parked_since else None,
        "stopped_aggregates": lag.stopped_aggregates,
        "seconds": round(lag.seconds or 0.0, 3) if known else None,
        "as_of": time_text(lag.as_of) if lag.as_of else None,
    }


def status_rows(store: Database[dict[str, Any]], projections: Iterable[Projection]) -> list[dict[str, Any]]:
    """Lag, workers and stopped aggregates of each projection."""
    return [_status_row(store, projection) for projection in projections]


def _status_row(store: Database[dict[str, Any]], projection: Projection) -> dict[str, Any]:
    lag = read_lag(projection.name)
    mine = {"projection": projection.name, "generation": lag.generation}
    workers = list(store["projection_workers"].find({**mine, **alive(datetime.now(UTC))}).sort("_id"))
    checkpoints = store["projection_checkpoints"].find(mine)
    stopped = store["projection_stopped"].find(mine).sort("first_at").limit(STOPPED_SHOWN)
    discarded = {**mine, "state": DISCARDED, "aggregate": {"$ne": None}}
    pointer = store[POINTERS].find_one({"_id": projection.name}) or {}
    paused = pointer.get("paused")
    return {
        **_lag_row(lag),
        "version": projection.version,
        "paused": {**paused, "at": time_text(paused["at"])} if paused else None,
        "gapped": len(store["projection_dead_letters"].distinct("aggregate", discarded)),
        "rebuild_due": rebuild_due(store, projection),
        "applied": sum(checkpoint["sequence"] for checkpoint in checkpoints),
        "building": _building(store, projection.name, pointer.get("building")),
        "previous": _previous(pointer),
        "workers": [_worker(worker) for worker in workers],
        "stopped": [_stopped(row) for row in stopped],
    }


def _building(store: Database[dict[str, Any]], name: str, building: dict[str, Any] | None) -> dict[str, Any] | None:
    """The generation of an unfinished rebuild; ``in_work``: somebody goes on with it."""
    if not building:
        return None
    mine = {"projection": name, "generation": building["generation"]}
    return {
        "generation": building["generation"],
        "source": building["source"],
        "by": building["by"],
        "at": time_text(building["at"]),
        "owner": building["owner"],
        "in_work": building["lease_until"] > datetime.now(UTC),
        "applied": sum(row["sequence"] for row in store["projection_checkpoints"].find(mine, {"sequence": 1})),
    }


def _previous(pointer: dict[str, Any]) -> dict[str, Any] | None:
    """The generation to which a rebuild can be taken back; ``followed``: workers keep it up to date."""
    number = pointer.get("previous")
    return None if number is None else {"generation": number, "followed": pointer.get("following") == number}


def _worker(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "host": row["host"],
        "pid": row["pid"],
        "state": row["state"],
        "blocked": [{**item, "since": time_text(item["since"])} for item in row.get("blocked", ())],
        "detail": row["detail"],
        "partitions": [f"{part['topic']}[{part['partition']}]" for part in row["partitions"]],
        "events_per_second": row["events_per_second"],
        "seen_at": time_text(row["seen_at"]),
    }


def _stopped(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "aggregate": row["aggregate"],
        "stream": f"{row['topic']}[{row['partition']}]",
        "first_version": row["first_version"],
        "first_sequence": row["first_sequence"],
        "event_type": row.get("event_type"),
        "error": row["error"],
        "fingerprint": row.get("fingerprint", ""),
        "attempts": row["attempts"],
        "first_at": time_text(row["first_at"]),
        "last_at": time_text(row["last_at"]),
    }
