"""How the projections stand, for a scrape: read from MongoDB alone, so that query hosts show it too."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
from prometheus_client.core import GaugeMetricFamily, Metric

from acme import metrics
from acme.exposition import Source, start_exposition
from projections.registry import PROJECTIONS
from projections.runtime.heartbeat import ALIVE
from queries.documents.connection import database, live_generation
from queries.documents.lag import Lag, read_lag

SECONDS = 1.5  # for all questions of one scrape together
#: Why a partition cannot go on, as workers note it with their heartbeats.
KINDS = ("gap", "epoch", "rewritten", "queue-full")

Row = dict[str, Any]
#: Projection → its documents, of its live generation.
Rows = dict[str, list[Row]]


def read_state() -> list[Metric]:
    """The states of every projection. Raises pymongo's errors within `SECONDS`, and `EngineNotConfigured`."""
    with pymongo.timeout(SECONDS):
        store = database()
        now = datetime.now(UTC)
        live = {name: live_generation(name) for name in PROJECTIONS}
        lags = [read_lag(name, now=now) for name in PROJECTIONS]
        paused = {row["_id"] for row in store["projection_pointers"].find() if row.get("paused")}
        return [
            *_lag(lags),
            *_parked(lags, now),
            *_workers(_of_live(store["projection_workers"].find(), live), now),
            _single(metrics.PAUSED, {name: float(name in paused) for name in PROJECTIONS}),
        ]


PROJECTIONS_STATE = Source("projections", read_state)


def expose_projector(names: Iterable[str]) -> None:
    """Shows the metrics of a projector from now on; counters begin at 0, so that the first increase is seen as one."""
    for name in names:
        for counter in (
            metrics.PROJECTION_APPLIED,
            metrics.PROJECTION_BATCH_SECONDS,
            metrics.PROJECTION_PARKED,
            metrics.PROJECTION_OVERTAKEN,
            metrics.PROJECTION_ENGINE_FAILURES,
        ):
            counter.labels(name)
        metrics.LETTERS_DISCARDED.labels(name)
        for outcome in ("done", "failed", "held"):
            metrics.LETTERS_RETRIED.labels(name, outcome)
    start_exposition(PROJECTIONS_STATE)


def _lag(lags: list[Lag]) -> Iterable[Metric]:
    events, known = metrics.LAG_EVENTS.family(), metrics.LAG_KNOWN.family()
    seconds = metrics.LAG_SECONDS.family()
    for lag in lags:
        is_known = not lag.unknown and lag.seconds is not None
        known.add_metric([lag.projection], is_known)
        if is_known:
            seconds.add_metric([lag.projection], lag.seconds)
            for stage in ("unnumbered", "unacknowledged", "unprojected"):
                events.add_metric([lag.projection, stage], getattr(lag, stage))
    return events, known, seconds


def _of_live(rows: Iterable[Row], live: dict[str, int]) -> Rows:
    found: Rows = {name: [] for name in live}
    for row in rows:
        if live.get(row["projection"]) == row["generation"]:
            found[row["projection"]].append(row)
    return found


def _parked(lags: list[Lag], now: datetime) -> Iterable[Metric]:
    oldest = {lag.projection: _age(lag.parked_since, now) if lag.parked_since else 0.0 for lag in lags}
    yield _single(metrics.PARKED_EVENTS, {lag.projection: float(lag.parked) for lag in lags})
    yield _single(metrics.PARKED_OLDEST_SECONDS, oldest)


def _workers(workers: Rows, now: datetime) -> Iterable[Metric]:
    alive, ages = metrics.WORKERS.family(), metrics.HEARTBEAT_SECONDS.family()
    blocked = metrics.BLOCKED_PARTITIONS.family()
    for name, rows in workers.items():
        living = [row for row in rows if _lease_end(row) > now]
        alive.add_metric([name], len(living))
        youngest: dict[str, float] = {}  # a process may have had several: one series must not be there twice
        for row in rows:
            worker, age = f"{row['host']}:{row['pid']}", _age(row["seen_at"], now)
            youngest[worker] = min(age, youngest.get(worker, age))
        for worker, age in youngest.items():
            ages.add_metric([name, worker], age)
        places = {(part["topic"], part["partition"]): part["kind"] for row in living for part in row.get("blocked", [])}
        for kind in (*KINDS, *sorted(set(places.values()) - set(KINDS))):
            blocked.add_metric([name, kind], list(places.values()).count(kind))
    return alive, ages, blocked


def _lease_end(worker: Row) -> datetime:
    end: datetime = worker.get("lease_until") or worker["seen_at"] + ALIVE
    return end


def _age(moment: datetime, now: datetime) -> float:
    return max(timedelta(), now - moment).total_seconds()


def _single(declared: metrics.Declared, values: dict[str, float]) -> GaugeMetricFamily:
    """A state whose only label is the projection."""
    family = declared.family()
    for name, value in values.items():
        family.add_metric([name], value)
    return family
