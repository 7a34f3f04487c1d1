"""What operators see of alerts: what holds now, and who was told about it when. Plain values."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from acme.alert_settings import AlertSettings
from acme.contracts.envelope import time_text
from projections.alerting.book import Book
from projections.alerting.causes import assess
from projections.alerting.facts import Snapshot
from queries.documents.connection import database

Row = dict[str, Any]


def rows(snapshot: Snapshot, settings: AlertSettings) -> list[Row]:
    """What holds by this snapshot, then what was told and not yet to be over. Raises pymongo's errors."""
    known = (
        {row["_id"]: row for row in Book(database(), settings).entries()} if snapshot.projections is not None else {}
    )
    found = []
    for cause in assess(snapshot, settings).causes:
        entry = known.pop(cause.key, {})
        since = entry.get("opened_at") or cause.since
        found.append(
            {
                "key": cause.key,
                "kind": str(cause.kind),
                "state": "open",
                "severity": cause.severity,
                "summary": cause.summary,
                "details": cause.details,
                "projection": cause.projection or None,
                "since": _time(since),
                **_told(entry),
            }
        )
    return [*found, *(_ending(entry) for entry in known.values() if entry["told"])]


def _ending(entry: Row) -> Row:
    shown = {name: entry[name] for name in ("kind", "severity", "summary", "details")}
    return {
        "key": entry["_id"],
        **shown,
        "state": "ending" if entry.get("missed_at") else "not judged",
        "projection": entry["projection"] or None,
        "since": _time(entry["opened_at"]),
        **_told(entry),
    }


def _told(entry: Row) -> Row:
    failures = entry.get("failures", {})
    return {
        "told": {channel: _time(at) for channel, at in entry.get("told", {}).items()},
        "failures": {channel: {"count": one["count"], "reason": one["reason"]} for channel, one in failures.items()},
    }


def _time(moment: datetime | None) -> str | None:
    return time_text(moment) if moment else None
