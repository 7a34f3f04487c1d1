"""What one look at the engines finds: plain frozen values, from which `causes` decides. All times are UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from acme.ports import PublisherState


@dataclass(frozen=True, kw_only=True)
class Blocked:
    """A partition that a worker cannot go on with. ``kind``: gap, epoch, rewritten or queue-full."""

    topic: str
    partition: int
    kind: str
    why: str = ""
    since: datetime | None = None

    @property
    def stream(self) -> str:
        return stream(self.topic, self.partition)


@dataclass(frozen=True, kw_only=True)
class WorkerFacts:
    """One worker, alive while its lease lies ahead."""

    host: str
    pid: int
    state: str = "running"
    detail: str = ""
    lease_until: datetime
    holds: frozenset[str] = frozenset()  # the streams assigned to it, those it cannot go on with included
    blocked: tuple[Blocked, ...] = ()

    @property
    def who(self) -> str:
        return f"{self.host}:{self.pid}"


@dataclass(frozen=True, kw_only=True)
class LetterFacts:
    """Parked letters of one fingerprint: those that failed, and those that wait behind them."""

    fingerprint: str
    error: str  # the exception's class: its text may contain what the event contains
    event_type: str
    failing: int = 0
    held: int = 0
    oldest_at: datetime

    @property
    def total(self) -> int:
        return self.failing + self.held

    @property
    def what(self) -> str:
        return f"{self.error} at {self.event_type}"


@dataclass(frozen=True, kw_only=True)
class VerificationFacts:
    """The last verification of the live generation: how many differences, and some of them in words."""

    at: datetime
    by: str
    sampled: bool
    documents: int
    differences: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ProjectionFacts:
    """One projection that was run at some time. ``lag``: seconds; None when nobody knows."""

    name: str
    generation: int = 1
    paused: dict[str, Any] = field(default_factory=dict)  # {by, reason, at} while an operator has paused it
    lag: float | None = 0.0
    waiting: int = 0  # events recorded and not applied
    streams: frozenset[str] = frozenset()  # every partition of its topics
    known_at: datetime | None = None  # when a worker last looked at the heads of all its topics
    letters: tuple[LetterFacts, ...] = ()
    workers: tuple[WorkerFacts, ...] = ()
    verification: VerificationFacts | None = None

    def alive(self, now: datetime) -> list[WorkerFacts]:
        """Its workers whose lease has not ended."""
        return [worker for worker in self.workers if worker.lease_until > now]

    def unattended(self, now: datetime) -> frozenset[str]:
        """Streams of which nobody says whether they could go on: no living worker holds them, or an operator has them
        rest, and a worker that rests does not look."""
        alive = self.alive(now)
        held = {name for worker in alive for name in worker.holds} if not self.paused else set()
        return self.streams - held - {part.stream for worker in alive for part in worker.blocked}


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """One look. What could not be looked at is None, and the error says why."""

    at: datetime
    projections: tuple[ProjectionFacts, ...] | None = ()
    read_store_error: str = ""
    publisher: PublisherState | None = field(default_factory=PublisherState)
    event_log_error: str = ""


def stream(topic: str, partition: int) -> str:
    """A partition, as people and keys name it."""
    return f"{topic}[{partition}]"


def age(moment: datetime, now: datetime) -> float:
    """Seconds since; never negative."""
    return max(timedelta(), now - moment).total_seconds()
