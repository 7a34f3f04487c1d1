"""The three read-only interfaces through which projections may ask the write side, and where their implementations are.

Only `commands` implements them; `projections` never imports `commands`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, cast
from uuid import UUID

from django.utils.module_loading import import_string

from acme.contracts.envelope import Envelope, Sealed


@dataclass(frozen=True, kw_only=True)
class StreamHead:
    """How far one partition has come: last numbered and last published sequence (0: none), and the log's epoch."""

    topic: str
    partition: int
    sequence: int
    published: int
    log_epoch: int


@dataclass(frozen=True, kw_only=True)
class OutboxBacklog:
    """Recorded but not yet numbered events: how many, and since when the oldest waits. Read after ``looked_at``."""

    events: int
    oldest_recorded_at: datetime | None
    looked_at: datetime

    @property
    def complete_to(self) -> datetime:
        """Whatever was recorded before this moment is numbered in heads that are read afterwards."""
        return min(self.looked_at, self.oldest_recorded_at or self.looked_at)


@dataclass(frozen=True, kw_only=True)
class PublisherState:
    """What waits in the outbox, and whether the publisher may work at all."""

    epoch: int = 1
    halted_reason: str = ""  # empty: it may
    unnumbered: int = 0
    unpublished: int = 0  # numbered, and Kafka does not have them
    oldest_recorded_at: datetime | None = None  # of what waits for its number or for Kafka
    published: int = 0  # sum of all cursors: it changes while the publisher works


class EventLog(Protocol):
    """The event log in PostgreSQL, read-only."""

    def heads(self, topics: Iterable[str]) -> list[StreamHead]:
        """One head per partition of the topics, also where nothing has been recorded."""

    def backlog(self) -> OutboxBacklog:
        """May have been read up to half a second ago: all workers of a process ask for the same."""

    def publisher(self) -> PublisherState:
        """Read anew in a session of its own, within seconds or not at all. Raises Django's OperationalError."""

    def read(self, topic: str, partition: int, first: int, last: int) -> Iterator[Envelope]:
        """The numbered events with ``first <= sequence <= last``, in order; fewer when the log has fewer."""

    def read_aggregate(self, aggregate_type: str, aggregate_id: UUID, first_version: int) -> Iterator[Envelope]:
        """The numbered events of one aggregate from a version on, in order."""

    def recorded_at(self, positions: Iterable[tuple[str, int, int]]) -> dict[tuple[str, int], datetime]:
        """For each (topic, partition, sequence) that exists: when it was recorded."""

    def event_ids(self, positions: Iterable[tuple[str, int, int]]) -> dict[tuple[str, int, int], UUID]:
        """For each (topic, partition, sequence) that exists: the event there."""


class AggregateStates(Protocol):
    """The state tables, for comparison with read models."""

    def state(self, aggregate_type: str, aggregate_id: UUID) -> dict[str, Any] | None:
        """JSON-ready fields of one aggregate as the tables have them now; None where there is none."""

    def states(self, aggregate_type: str, aggregate_ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
        """The same of many at once; those that there are."""

    def ids(self, aggregate_type: str) -> Iterator[UUID]: ...


class SubjectKeys(Protocol):
    """Opens personal data."""

    def unseal(self, sealed: Sealed, event_id: UUID) -> dict[str, Any] | None:
        """The personal data, or None when the subject's key was deleted."""


def event_log() -> EventLog:
    return cast(EventLog, import_string("commands.outbox.log.PostgresEventLog")())


def aggregate_states() -> AggregateStates:
    return cast(AggregateStates, import_string("commands.states.StateTables")())


def subject_keys() -> SubjectKeys:
    return cast(SubjectKeys, import_string("commands.outbox.personal.DataSubjectKeys")())
