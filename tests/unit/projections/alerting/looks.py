"""Hand-made snapshots for the tests of causes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from acme.alert_settings import AlertSettings
from projections.alerting.cause import Assessment, Cause
from projections.alerting.causes import assess
from projections.alerting.facts import Blocked, ProjectionFacts, Snapshot, WorkerFacts

NOW = datetime(2026, 1, 1, 3, 12, tzinfo=UTC)
SETTINGS = AlertSettings(lag_of={"sales_by_day": 600})
STREAMS = frozenset(f"acme.orders[{partition}]" for partition in range(8))


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def worker(*, left: float = 8, **more: Any) -> WorkerFacts:
    """``left``: seconds until its lease ends."""
    return WorkerFacts(host="h1", pid=7, lease_until=ago(-left), **more)


def projection(name: str = "orders", **more: Any) -> ProjectionFacts:
    return ProjectionFacts(**{"name": name, "known_at": ago(1), "workers": (worker(),), **more})


def look(*projections: ProjectionFacts, **more: Any) -> Assessment:
    return assess(Snapshot(at=NOW, projections=projections, **more), SETTINGS)


def keys(found: Assessment) -> list[str]:
    return [cause.key for cause in found.causes]


def only(found: Assessment) -> Cause:
    (cause,) = found.causes
    return cause


def blocked(kind: str, partition: int = 3) -> Blocked:
    return Blocked(topic="acme.orders", partition=partition, kind=kind, why=f"because of {partition}", since=ago(50))
