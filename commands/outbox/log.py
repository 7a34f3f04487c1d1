"""The event log: inserting in the command's transaction, and reading for publisher, relay and projectors."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import Count, Max, Min, Q

from acme.contracts.envelope import Envelope
from acme.contracts.topics import BY_NAME
from acme.ports import OutboxBacklog, PublisherState, StreamHead
from commands.copying import copy_rows
from commands.outbox.columns import read_envelopes
from commands.outbox.models import DomainEvent, LogEpoch
from commands.outbox.models import StreamHead as HeadRow
from commands.outbox.standing import read_standing

READ_CHUNK = 2000  # events: more than any batch takes, so nearly every read is one statement
#: For so long what was counted is told again: while Kafka is away, hundreds of thousands of events may wait.
BACKLOG_KEPT = timedelta(seconds=0.5)
COPIED = [field.column for field in DomainEvent._meta.fields if field.column not in {"position", "sequence"}]


def insert_events(events: list[DomainEvent]) -> None:
    """Appends events in the given order; their positions come from the sequence of the table, and stay there."""
    copy_rows(DomainEvent, COPIED, ([_copied(event, name) for name in COPIED] for event in events))


def _copied(event: DomainEvent, column: str) -> Any:
    value = getattr(event, column)
    is_json = column in {"data", "personal", "metadata"} and value is not None
    return msgspec.json.encode(value).decode() if is_json else value


def current_epoch() -> int:
    """The epoch in force (1 before any other was started)."""
    return LogEpoch.objects.aggregate(latest=Max("epoch"))["latest"] or 1


class PostgresEventLog:
    """Implements `acme.ports.EventLog`; threads may share one."""

    def __init__(self) -> None:
        self._counting = threading.Lock()
        self._backlog: OutboxBacklog | None = None

    def heads(self, topics: Iterable[str]) -> list[StreamHead]:
        epoch = current_epoch()
        names = list(topics)
        rows = {(row.topic, row.partition): row for row in HeadRow.objects.filter(topic__in=names)}
        heads = []
        for name in names:
            for partition in range(BY_NAME[name].partitions):
                row = rows.get((name, partition))
                heads.append(
                    StreamHead(
                        topic=name,
                        partition=partition,
                        sequence=row.sequence if row else 0,
                        published=row.published if row else 0,
                        log_epoch=epoch,
                    )
                )
        return heads

    def backlog(self) -> OutboxBacklog:
        with self._counting:
            now = datetime.now(UTC)
            if self._backlog is None or now - self._backlog.looked_at > BACKLOG_KEPT:
                waiting = DomainEvent.objects.filter(sequence__isnull=True)
                found = waiting.aggregate(events=Count("pk"), oldest_recorded_at=Min("recorded_at"))
                self._backlog = OutboxBacklog(looked_at=now, **found)
            return self._backlog

    def publisher(self) -> PublisherState:
        return read_standing()

    def read(self, topic: str, partition: int, first: int, last: int) -> Iterator[Envelope]:
        condition = "topic = %s AND partition = %s AND sequence <= %s"
        return _pages(condition, (topic, partition, last), "sequence", first)

    def read_aggregate(self, aggregate_type: str, aggregate_id: UUID, first_version: int) -> Iterator[Envelope]:
        condition = "aggregate_type = %s AND aggregate_id = %s AND sequence IS NOT NULL"
        return _pages(condition, (aggregate_type, aggregate_id), "aggregate_version", first_version)

    def recorded_at(self, positions: Iterable[tuple[str, int, int]]) -> dict[tuple[str, int], datetime]:
        rows = self._at(positions).values_list("topic", "partition", "recorded_at")
        return {(topic, partition): moment for topic, partition, moment in rows}

    def event_ids(self, positions: Iterable[tuple[str, int, int]]) -> dict[tuple[str, int, int], UUID]:
        rows = self._at(positions).values_list("topic", "partition", "sequence", "event_id")
        return {(topic, partition, sequence): event_id for topic, partition, sequence, event_id in rows}

    def _at(self, positions: Iterable[tuple[str, int, int]]) -> Any:
        wanted = Q(pk__in=[])
        for topic, partition, sequence in positions:
            wanted |= Q(topic=topic, partition=partition, sequence=sequence)
        return DomainEvent.objects.filter(wanted)


def _pages(condition: str, values: tuple[Any, ...], order: str, first: int) -> Iterator[Envelope]:
    """The events with ``order`` from ``first`` on, under the epoch that was in force when they were asked for."""
    return _all_pages(condition, values, order, first, current_epoch(), READ_CHUNK)


def _all_pages(
    condition: str, values: tuple[Any, ...], order: str, first: int, epoch: int, size: int
) -> Iterator[Envelope]:
    while True:
        page = read_envelopes(f"{condition} AND {order} >= %s ORDER BY {order} LIMIT %s", (*values, first, size), epoch)
        yield from page
        if len(page) < size:
            return
        first = getattr(page[-1], order) + 1
