"""Looks at MongoDB and, through `acme.ports`, at PostgreSQL. An engine that is away is a finding, not an error."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
from django.db import close_old_connections
from pymongo.database import Database

from acme.ports import EventLog, PublisherState, event_log
from projections.alerting.facts import (
    Blocked,
    LetterFacts,
    ProjectionFacts,
    Snapshot,
    VerificationFacts,
    WorkerFacts,
    stream,
)
from projections.registry import PROJECTIONS
from projections.runtime.failures import ENGINE_FAILURES
from queries.documents.connection import database
from queries.documents.dead_letters import parked
from queries.documents.lag import Lag, read_lag

READ_SECONDS = 3.0  # for everything that is asked of MongoDB together
UNLEASED = timedelta(seconds=10)  # a heartbeat without a lease counts for so long
Row = dict[str, Any]


def take_snapshot(now: datetime | None = None, log: EventLog | None = None) -> Snapshot:
    """One look at both engines, milliseconds when they are well and at most some seconds when they are not."""
    at = whole_milliseconds(now or datetime.now(UTC))
    projections, read_store_error = _read_store(at)
    publisher, event_log_error = _event_log(log or event_log())
    return Snapshot(
        at=at,
        projections=projections,
        read_store_error=read_store_error,
        publisher=publisher,
        event_log_error=event_log_error,
    )


def whole_milliseconds(moment: datetime) -> datetime:
    """As MongoDB keeps it, so that what was written compares equal to what is read."""
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def _read_store(now: datetime) -> tuple[tuple[ProjectionFacts, ...] | None, str]:
    try:
        with pymongo.timeout(READ_SECONDS):
            return read_projections(now), ""
    except ENGINE_FAILURES as error:
        return None, said(error)


def _event_log(log: EventLog) -> tuple[PublisherState | None, str]:
    try:
        return log.publisher(), ""
    except ENGINE_FAILURES as error:
        close_old_connections()
        return None, said(error)


def said(error: BaseException) -> str:
    """An engine's error in one line; drivers name hosts and ports in it, and no password."""
    text = " ".join(f"{type(error).__name__}: {error}".split()).partition(", Topology Description")[0]
    return text if len(text) <= 300 else f"{text[:299]}…"


def read_projections(now: datetime) -> tuple[ProjectionFacts, ...]:
    """Every declared projection that was run at some time. Raises pymongo's errors."""
    store = database()
    pointers = {row["_id"]: row for row in store["projection_pointers"].find() if row["_id"] in PROJECTIONS}
    heads = list(store["stream_heads"].find())
    workers = list(store["projection_workers"].find())
    letters = [row for name, pointer in pointers.items() for row in _letters(store, name, _generation(pointer))]
    lags = {name: read_lag(name, now=now, count_letters=False) for name in pointers}
    verifications = {row["_id"]: row for row in store["projection_verifications"].find()}
    return tuple(
        replace(
            _projection(pointer, lags[name], heads, _of_live(workers, name, pointer), letters),
            verification=_verification(verifications.get(name), _generation(pointer)),
        )
        for name, pointer in pointers.items()
    )


def _of_live(workers: list[Row], name: str, pointer: Row) -> list[Row]:
    """Workers that keep a generation before up to date are nobody's trouble, and stand in for nobody."""
    return [row for row in workers if row["projection"] == name and row.get("generation") == _generation(pointer)]


def _verification(row: Row | None, generation: int) -> VerificationFacts | None:
    """That of another generation says nothing of this one."""
    if row is None or row["generation"] != generation:
        return None
    return VerificationFacts(
        at=row["at"],
        by=row["by"],
        sampled=row["sampled"],
        documents=row["documents"],
        differences=row["differences"],
        examples=tuple(row["examples"]),
    )


def _generation(pointer: Row) -> int:
    return int(pointer.get("live", 1))


def _letters(store: Database[Row], projection: str, generation: int) -> list[Row]:
    """Parked letters, counted by projection, generation, fingerprint, whether they only wait, and partition."""
    columns = ("projection", "generation", "fingerprint", "held", "topic", "partition")
    group = {
        "_id": {column: f"${column}" for column in columns},
        "letters": {"$sum": 1},
        "oldest_at": {"$min": "$first_at"},
        "error": {"$max": "$error_class"},
        "event_type": {"$max": "$event_type"},
    }
    collection = store["projection_dead_letters"]
    parts = parked(store, projection, generation)
    return [row for part in parts for row in collection.aggregate([{"$match": part}, {"$group": group}])]


def _projection(pointer: Row, lag: Lag, heads: list[Row], workers: list[Row], letters: list[Row]) -> ProjectionFacts:
    name, generation, topics = pointer["_id"], _generation(pointer), set(pointer.get("topics") or ())
    mine = [head for head in heads if head["topic"] in topics]
    seen = min((head["seen_at"] for head in mine), default=None)
    known = not lag.unknown and lag.seconds is not None
    complete = lag.unknown and {head["topic"] for head in mine} == topics
    return ProjectionFacts(
        name=name,
        generation=generation,
        paused=pointer.get("paused") or {},
        lag=lag.seconds if known else None,
        waiting=lag.events,
        streams=_streams(mine),
        known_at=seen if known or complete else None,
        letters=_by_fingerprint(row for row in letters if _place(row["_id"]) == (name, generation)),
        workers=tuple(_worker(row) for row in workers if _place(row) == (name, generation)),
    )


def _streams(rows: Iterable[Row]) -> frozenset[str]:
    return frozenset(stream(row["topic"], row["partition"]) for row in rows)


def _place(row: Row) -> tuple[str | None, int | None]:
    return row.get("projection"), row.get("generation")


def _by_fingerprint(rows: Iterable[Row]) -> tuple[LetterFacts, ...]:
    """One for each fingerprint: what it is called is what those say that failed themselves."""
    found: dict[str, LetterFacts] = {}
    for row in sorted(rows, key=lambda row: bool(row["_id"].get("held"))):
        fingerprint, held = row["_id"].get("fingerprint") or "", bool(row["_id"].get("held"))
        before = found.get(fingerprint)
        found[fingerprint] = LetterFacts(
            fingerprint=fingerprint,
            error=before.error if before else (row.get("error") or "an error").rpartition(".")[2],
            event_type=before.event_type if before else row.get("event_type") or "a record that is no event",
            failing=(before.failing if before else 0) + (0 if held else row["letters"]),
            held=(before.held if before else 0) + (row["letters"] if held else 0),
            oldest_at=min(before.oldest_at, row["oldest_at"]) if before else row["oldest_at"],
        )
    return tuple(found.values())


def _worker(row: Row) -> WorkerFacts:
    return WorkerFacts(
        host=row.get("host", ""),
        pid=row.get("pid", 0),
        state=row.get("state", ""),
        detail=row.get("detail") or "",
        lease_until=row.get("lease_until") or row["seen_at"] + UNLEASED,
        holds=_streams(row.get("partitions") or ()),
        blocked=tuple(
            Blocked(
                topic=part["topic"],
                partition=part["partition"],
                kind=part.get("kind", "gap"),
                why=part.get("why") or "",
                since=part.get("since"),
            )
            for part in row.get("blocked") or ()
        ),
    )
