"""Causes of one projection: dead letters, lag, workers, partitions that stand still, a forgotten pause."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from acme.alert_settings import AlertSettings
from acme.contracts.envelope import time_text
from projections.alerting.cause import Cause, Kind
from projections.alerting.facts import Blocked, ProjectionFacts, age
from projections.alerting.words import ago, duration, events, listed, text

SHOWN = 5  # rows of a list in a message
#: A hanging worker writes nothing more: so many seconds after its lease has ended, with others alive, it is history.
HANGING_SHOWN = 600.0
#: While MongoDB is away no lease can be renewed: when it is back, workers have so many seconds to say that they live.
RENEWED = 10.0


def projection_causes(projection: ProjectionFacts, now: datetime, settings: AlertSettings) -> Iterator[Cause]:
    yield from _dead_letters(projection, now)
    yield from _differences(projection, now)
    yield from _blocked(projection, now)
    yield from _hanging(projection, now)
    if projection.paused:
        yield from _paused(projection, now, settings)
    else:
        yield from _heartbeat(projection, now, settings)
        yield from _lag(projection, now, settings)


def not_judged(projection: ProjectionFacts, now: datetime) -> Iterator[str]:
    """Beginnings of keys. A partition whose worker died, left or rests stands still as before until one looks again."""
    name = projection.name
    if projection.paused:
        yield from (f"{Kind.LAG}:{name}", f"{Kind.HEARTBEAT}:{name}")
    if projection.alive(now):
        gaps = [f"{Kind.GAP}:{name}:{stream}" for stream in sorted(projection.unattended(now))]
    else:
        gaps = [f"{Kind.GAP}:{name}"]
    yield from gaps
    if gaps:
        found = {cause.kind for cause in _blocked(projection, now)}
        yield from (f"{kind}:{name}" for kind in (Kind.EPOCH, Kind.QUEUE_FULL) if kind not in found)


def _dead_letters(projection: ProjectionFacts, now: datetime) -> Iterator[Cause]:
    if not projection.letters:
        return
    letters = sorted(projection.letters, key=lambda row: (-row.total, row.fingerprint))
    failing, held = sum(row.failing for row in letters), sum(row.held for row in letters)
    oldest = min(row.oldest_at for row in letters)
    name = projection.name
    rows = [
        f"  {row.fingerprint}  {row.what}: {events(row.failing)} failed, {row.held} held, "
        f"since {time_text(row.oldest_at)}"
        for row in letters[:SHOWN]
    ]
    yield Cause(
        kind=Kind.DEAD_LETTERS,
        key=f"{Kind.DEAD_LETTERS}:{name}",
        severity="warning",
        summary=f"{name}: {events(failing + held)} parked as dead letters ({letters[0].what})",
        details=text(
            f"{events(failing)} failed and {held} later ones of the same aggregates are held behind them, the oldest "
            f"{ago(oldest, now)}. Those aggregates are out of date in {name}; all others go on.",
            listed("By fingerprint:", rows, len(letters)),
            f"Look: manage.py projector dlq list {name}; why: manage.py projector dlq stats {name}",
            f"After a fix: manage.py projector dlq retry {name} --fingerprint {letters[0].fingerprint}",
        ),
        projection=name,
        since=oldest,
    )


def _differences(projection: ProjectionFacts, now: datetime) -> Iterator[Cause]:
    found, name = projection.verification, projection.name
    if found is None or not found.differences:
        return
    yield Cause(
        kind=Kind.DIFFERENCES,
        key=f"{Kind.DIFFERENCES}:{name}",
        severity="critical",
        summary=f"{name}: {found.differences:,} differences between documents and the write side",
        details=text(
            f"{found.by[0].upper()}{found.by[1:]} compared {found.documents:,} documents"
            f"{' at random' if found.sampled else ''} {ago(found.at, now)}.",
            listed("Where:", [f"  {example}" for example in found.examples], found.differences),
            f"Look: manage.py projector verify {name}",
            f"Repair: manage.py projector verify {name} --repair; where that says that a resync mends nothing: "
            f"manage.py projector rebuild {name}. It is over when a verification finds nothing.",
        ),
        projection=name,
        since=found.at,
    )


def _lag(projection: ProjectionFacts, now: datetime, settings: AlertSettings) -> Iterator[Cause]:
    limit, name = settings.lag_limit(projection.name), projection.name
    known = projection.lag is not None
    if projection.lag is not None:
        if projection.lag <= limit:
            return
        said = f"{name} is {duration(projection.lag)} behind ({events(projection.waiting)} wait)"
    elif projection.known_at is None:
        said = f"{name}: how far it is behind is unknown"
    elif age(projection.known_at, now) > limit:
        said = f"{name}: how far it is behind is unknown for {duration(age(projection.known_at, now))}"
    else:
        return
    yield Cause(
        kind=Kind.LAG,
        key=f"{Kind.LAG}:{name}",
        severity="warning",
        summary=said,
        details=text(
            f"{events(projection.waiting)} recorded and not applied; the limit is {limit:g} s. "
            + ("" if known else "No worker has looked at the stream heads: it is down, or PostgreSQL is."),
            f"Look: manage.py projector lag {name}; who works on it: manage.py projector status {name}",
        ),
        projection=name,
        since=projection.known_at if not known else None,
        patience=limit if not known and projection.known_at is None else 0.0,
    )


def _heartbeat(projection: ProjectionFacts, now: datetime, settings: AlertSettings) -> Iterator[Cause]:
    if projection.alive(now):
        return
    last = max(projection.workers, key=lambda worker: worker.lease_until, default=None)
    if last is not None and age(last.lease_until, now) <= settings.heartbeat:
        return
    how = (
        "its last worker ended and nobody has taken over"
        if last is None
        else f"the lease of {last.who} ended {ago(last.lease_until, now)}: it was killed, or its host is gone"
    )
    yield Cause(
        kind=Kind.HEARTBEAT,
        key=f"{Kind.HEARTBEAT}:{projection.name}",
        severity="critical",
        summary=f"{projection.name}: no worker is alive",
        details=text(
            f"Nobody applies events to {projection.name}: {how}.",
            f"Look: manage.py projector status {projection.name}; start one: manage.py projector run "
            f"{projection.name} (or --all)",
        ),
        projection=projection.name,
        since=last.lease_until if last else None,
        patience=RENEWED if last else settings.heartbeat,
    )


def _hanging(projection: ProjectionFacts, now: datetime) -> Iterator[Cause]:
    alive = projection.alive(now)
    for worker in {worker.who: worker for worker in projection.workers if worker.state == "hanging"}.values():
        if not alive or age(worker.lease_until, now) <= HANGING_SHOWN:
            yield Cause(
                kind=Kind.HANGING,
                key=f"{Kind.HANGING}:{projection.name}:{worker.host}:{worker.pid}",
                severity="warning",
                summary=f"{projection.name}: the worker {worker.who} hangs",
                details=text(
                    f"A turn took too long, so it gave up its lease at {time_text(worker.lease_until)}; "
                    f"another worker takes its partitions over ({len(alive)} alive now).",
                    worker.detail,
                    f"Look: manage.py projector status {projection.name}; its log says where it hung. "
                    f"If process {worker.pid} on {worker.host} is still there, end it.",
                ),
                projection=projection.name,
            )


def _paused(projection: ProjectionFacts, now: datetime, settings: AlertSettings) -> Iterator[Cause]:
    at, name = projection.paused.get("at"), projection.name
    if at is None or age(at, now) <= settings.paused:
        return
    by, reason = projection.paused.get("by") or "somebody", projection.paused.get("reason") or "none given"
    yield Cause(
        kind=Kind.PAUSED,
        key=f"{Kind.PAUSED}:{name}",
        severity="warning",
        summary=f"{name} is paused for {duration(age(at, now))}",
        details=text(
            f"{by} paused it at {time_text(at)} (reason: {reason}); {events(projection.waiting)} wait. No alert about "
            "its lag is sent meanwhile.",
            f"Look: manage.py projector status {name}; go on: manage.py projector resume {name}",
        ),
        projection=name,
        since=at,
    )


def _blocked(projection: ProjectionFacts, now: datetime) -> Iterator[Cause]:
    """Gaps one by one, since each has a story of its own; epochs and full queues once for the projection."""
    found = {part.stream: part for worker in projection.alive(now) for part in worker.blocked}
    parts = [found[stream] for stream in sorted(found)]
    yield from (_gap(projection.name, part) for part in parts if part.kind == "gap")
    diverged = [part for part in parts if part.kind in {"epoch", "rewritten"}]
    if diverged:
        yield _of_partitions(
            Kind.EPOCH,
            projection.name,
            diverged,
            summary=f"{projection.name}: the log has another history than what was applied",
            advice=f"Look: manage.py projector status {projection.name}; when the log is right, another generation is "
            f"filled and goes live with: manage.py projector rebuild {projection.name}",
        )
    full = [part for part in parts if part.kind == "queue-full"]
    if full:
        yield _of_partitions(
            Kind.QUEUE_FULL,
            projection.name,
            full,
            summary=f"{projection.name}: the dead-letter queue is full, {len(full)} partitions stand still",
            advice=f"Look: manage.py projector dlq stats {projection.name}; fix, then manage.py projector dlq retry "
            f"{projection.name} --all, or discard",
        )


def _gap(name: str, part: Blocked) -> Cause:
    return Cause(
        kind=Kind.GAP,
        key=f"{Kind.GAP}:{name}:{part.stream}",
        severity="critical",
        summary=f"{name}: {part.stream} stands still before events that neither Kafka nor the log can supply",
        details=text(
            part.why,
            "Nothing is skipped: the partition goes on by itself when the events are there again.",
            "If the log never had them, somebody else than the publisher has written to the topic: see its ACLs, and "
            "the alert about the publisher.",
            f"Look: manage.py projector status {name}; send again what the log has: manage.py relay --replay "
            f"{part.topic}",
        ),
        projection=name,
        since=part.since,
    )


def _of_partitions(kind: Kind, name: str, parts: list[Blocked], *, summary: str, advice: str) -> Cause:
    rows = [f"  {part.stream}: {part.why or part.kind}" for part in parts[:SHOWN]]
    return Cause(
        kind=kind,
        key=f"{kind}:{name}",
        severity="critical",
        summary=summary,
        details=text(listed("Partitions that stand still:", rows, len(parts)), advice),
        projection=name,
        since=min((part.since for part in parts if part.since), default=None),
    )
