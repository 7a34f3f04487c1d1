"""PostgreSQL in memory: transactions that record events, and what publisher and workers ask of the log.

Positions are handed out when a transaction begins to write; it may commit later than one that began after it, or never.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import psycopg

from acme.contracts.envelope import Envelope
from acme.ports import OutboxBacklog, PublisherState, StreamHead
from commands.outbox.lane import Epoch
from commands.outbox.refill import Cursor
from projections.runtime.checkpoints import Stream
from tests.model.actors import Actor, Actors


@dataclass
class Tables:
    """All that a backup keeps. ``log``: by position; ``streams``: the numbered events, index = sequence - 1."""

    log: dict[int, Envelope] = field(default_factory=dict)
    unnumbered: list[int] = field(default_factory=list)
    streams: dict[Stream, list[Envelope]] = field(default_factory=dict)
    heads: dict[Stream, Cursor] = field(default_factory=dict)
    epochs: dict[int, str] = field(default_factory=dict)
    versions: dict[int, int] = field(default_factory=dict)  # aggregate (its number in the history) → its version

    def copied(self) -> Tables:
        made = copy(self)
        for name, value in vars(self).items():
            setattr(made, name, copy(value))
        made.streams = {stream: list(events) for stream, events in self.streams.items()}
        return made


@dataclass
class Transaction:
    """Rows that nobody else sees yet, and the aggregates that it has locked with their new versions."""

    rows: dict[int, Envelope]
    versions: dict[int, int]


class Postgresql:
    """The server. ``history``: each aggregate's events in order, as the commands would record them."""

    def __init__(self, actors: Actors, history: list[list[Envelope]], streams: list[Stream]) -> None:
        self.actors, self.history, self.all_streams = actors, history, streams
        self.tables = Tables()
        self.open: list[Transaction] = []
        self.sessions: list[Lane] = []
        self.holder: Lane | None = None
        self.backups: list[Tables] = []
        self.restored = 0
        self._position = self._events = 0
        self._lazy: list[Cursor] = []  # cursors as they were before a commit that is not on the disk yet

    # Commands

    def begin(self, wanted: list[tuple[int, int]]) -> None:
        """A transaction that records so many next events of some aggregates, unless they are locked or have no more."""
        locked = {number for transaction in self.open for number in transaction.versions}
        rows: dict[int, Envelope] = {}
        versions: dict[int, int] = {}
        for number, count in wanted:
            first = self.tables.versions.get(number, 0)
            events = self.history[number][first : first + count]
            if number in locked or number in versions or not events:
                continue
            versions[number] = first + len(events)
            for event in events:
                self._position += 1
                rows[self._position] = self._recorded(event)
        if rows:
            self.open.append(Transaction(rows, versions))

    def _recorded(self, event: Envelope) -> Envelope:
        """After a restore other things happen than before."""
        self._events += 1
        return msgspec.structs.replace(
            event,
            event_id=UUID(int=self._events),
            sequence=None,
            occurred_at=event.occurred_at + timedelta(days=self.restored),
            recorded_at=self.actors.clock.now(),
        )

    def commit(self, number: int) -> None:
        transaction = self.open.pop(number)
        self.tables.log.update(transaction.rows)
        self.tables.unnumbered.extend(transaction.rows)
        self.tables.versions.update(transaction.versions)
        self._lazy.clear()

    # Faults

    def end_sessions(self, of: Actor | None = None) -> None:
        """Ends the publishers' sessions, of one process or all, and with them the lock."""
        for session in self.sessions:
            session.ended = session.ended or of is None or session.owner is of
        for session in [session for session in self.sessions if session.ended]:
            self.forget(session)

    def forget(self, session: Lane) -> None:
        """A session that has ended."""
        if session in self.sessions:
            self.sessions.remove(session)
        if self.holder is session:
            self.holder = None

    def crash(self) -> None:
        """Open transactions are gone, and cursors that were moved without waiting for the disk."""
        self.end_sessions()
        self.open.clear()
        for before in reversed(self._lazy):
            self.tables.heads[before.topic, before.partition] = before
        self._lazy.clear()

    def back_up(self) -> None:
        self.backups.append(self.tables.copied())

    def restore(self, number: int) -> None:
        self.crash()
        self.tables = self.backups[number].copied()
        self.restored += 1

    # The log

    @property
    def epoch(self) -> int:
        return max(self.tables.epochs, default=1)

    @property
    def halted(self) -> str:
        return self.tables.epochs.get(self.epoch, "")

    def stream(self, stream: Stream) -> list[Envelope]:
        return self.tables.streams.get(stream, [])

    def head(self, stream: Stream) -> Cursor:
        return self.tables.heads.get(stream) or Cursor(topic=stream[0], partition=stream[1])

    def number(self, limit: int) -> int:
        """As `commands.outbox.sequencer` does."""
        tables = self.tables
        tables.unnumbered.sort()
        now, tables.unnumbered = tables.unnumbered[:limit], tables.unnumbered[limit:]
        for position in now:
            event = tables.log[position]
            events = tables.streams.setdefault((event.topic, event.partition), [])
            tables.log[position] = numbered = msgspec.structs.replace(event, sequence=len(events) + 1)
            events.append(numbered)
            head = self.head((event.topic, event.partition))
            tables.heads[event.topic, event.partition] = replace(head, sequence=len(events))
        if now:
            self._lazy.clear()
        return len(now)

    def move(self, cursors: Iterable[Cursor]) -> None:
        for cursor in cursors:
            before = self.head((cursor.topic, cursor.partition))
            self._lazy.append(before)
            self.tables.heads[cursor.topic, cursor.partition] = replace(cursor, sequence=before.sequence)

    def travelling(self, events: Iterable[Envelope]) -> list[Envelope]:
        return [msgspec.structs.replace(event, log_epoch=self.epoch) for event in events]


class Log:
    """`acme.ports.EventLog` for workers."""

    def __init__(self, server: Postgresql) -> None:
        self._server = server

    def _ask(self, what: str, answer: Any) -> Any:
        return self._server.actors.call("log", what, answer)

    def heads(self, topics: Iterable[str]) -> list[StreamHead]:
        def answer() -> list[StreamHead]:
            server, epoch = self._server, self._server.epoch
            found = [server.head(stream) for stream in server.all_streams if stream[0] in topics]
            return [
                StreamHead(
                    topic=c.topic, partition=c.partition, sequence=c.sequence, published=c.published, log_epoch=epoch
                )
                for c in found
            ]

        return list(self._ask("heads", answer))

    def backlog(self) -> OutboxBacklog:
        def answer() -> OutboxBacklog:
            tables = self._server.tables
            oldest = min((tables.log[p].recorded_at for p in tables.unnumbered), default=None)
            now = self._server.actors.clock.now()
            return OutboxBacklog(events=len(tables.unnumbered), oldest_recorded_at=oldest, looked_at=now)

        found: OutboxBacklog = self._ask("backlog", answer)
        return found

    def publisher(self) -> PublisherState:
        return PublisherState(epoch=self._server.epoch, halted_reason=self._server.halted)

    def read(self, topic: str, partition: int, first: int, last: int) -> Iterator[Envelope]:
        def answer() -> list[Envelope]:
            return self._server.travelling(self._server.stream((topic, partition))[max(0, first - 1) : last])

        return iter(self._ask(f"{topic}[{partition}] {first} to {last}", answer))

    def read_aggregate(self, aggregate_type: str, aggregate_id: UUID, first_version: int) -> Iterator[Envelope]:
        def answer() -> list[Envelope]:
            key = aggregate_type, aggregate_id
            rows = [e for e in self._server.tables.log.values() if (e.aggregate_type, e.aggregate_id) == key]
            rows = [e for e in rows if e.sequence is not None and e.aggregate_version >= first_version]
            return self._server.travelling(sorted(rows, key=lambda e: e.aggregate_version))

        return iter(self._ask(f"events of {aggregate_type}:{aggregate_id}", answer))

    def recorded_at(self, positions: Iterable[tuple[str, int, int]]) -> dict[Stream, datetime]:
        def answer() -> dict[Stream, datetime]:
            found = {}
            for topic, partition, sequence in positions:
                for event in self._server.stream((topic, partition))[sequence - 1 : sequence]:
                    found[topic, partition] = event.recorded_at
            return found

        return dict(self._ask("recorded at", answer))

    def event_ids(self, positions: Iterable[tuple[str, int, int]]) -> dict[tuple[str, int, int], UUID]:
        wanted = list(positions)

        def answer() -> dict[tuple[str, int, int], UUID]:
            rows = {(t, p, s): self._server.stream((t, p))[s - 1 : s] for t, p, s in wanted}
            return {place: events[0].event_id for place, events in rows.items() if events}

        return dict(self._ask("event ids", answer))


class Lane:
    """`commands.outbox.lane.Lane`: a publisher's session and its lock."""

    def __init__(self, server: Postgresql) -> None:
        self._server, self.owner = server, server.actors.current
        self.ended = False
        self._ask("connect", lambda: server.sessions.append(self))

    def _ask(self, what: str, answer: Any) -> Any:
        def checked() -> Any:
            if self.ended:
                raise psycopg.OperationalError("the session has ended")
            return answer()

        return self._server.actors.call("lane", what, checked)

    def acquire(self) -> bool:
        def answer() -> bool:
            if self._server.holder is None:
                self._server.holder = self
            return self._server.holder is self

        return bool(self._ask("acquire", answer))

    def release(self) -> None:
        def answer() -> None:
            if self._server.holder is self:
                self._server.holder = None

        self._ask("release", answer)

    def ping(self) -> None:
        self._ask("ping", lambda: None)

    def has_backlog(self) -> bool:
        def answer() -> bool:
            tables = self._server.tables
            return bool(tables.unnumbered) or any(c.published < c.sequence for c in tables.heads.values())

        return bool(self._ask("backlog", answer))

    def epoch(self) -> Epoch:
        server = self._server
        found: Epoch = self._ask("epoch", lambda: Epoch(number=server.epoch, halted_reason=server.halted))
        return found

    def halt(self, epoch: int, reason: str) -> None:
        self._ask("halt", lambda: self._server.tables.epochs.update({epoch: reason}))

    def start_epoch(self) -> int:
        def answer() -> int:
            tables = self._server.tables
            tables.epochs[self._server.epoch + 1] = ""
            tables.heads = {stream: cursor.rewound() for stream, cursor in tables.heads.items()}
            return self._server.epoch

        return int(self._ask("start epoch", answer))

    def number(self, limit: int) -> int:
        return int(self._ask("number", lambda: self._server.number(limit)))

    def unpublished(self, limit: int, epoch: int) -> list[Envelope]:
        def answer() -> list[Envelope]:
            server = self._server
            waiting = [c for c in server.tables.heads.values() if c.published < c.sequence]
            share = max(1, limit // max(1, len(waiting)))
            found = [e for c in waiting for e in server.stream((c.topic, c.partition))[c.published :][:share]]
            return [msgspec.structs.replace(event, log_epoch=epoch) for event in found]

        return list(self._ask("unpublished", answer))

    def cursors(self) -> dict[Stream, Cursor]:
        return dict(self._ask("cursors", lambda: self._server.tables.heads))

    def logged(self, places: Iterable[tuple[str, int, int]]) -> dict[Stream, UUID]:
        wanted = list(places)

        def answer() -> dict[Stream, UUID]:
            rows = {(t, p): self._server.stream((t, p))[s - 1 : s] for t, p, s in wanted}
            return {stream: events[0].event_id for stream, events in rows.items() if events}

        return dict(self._ask("logged", answer))

    def move(self, cursors: Iterable[Cursor]) -> None:
        moved = list(cursors)
        if moved:
            self._ask("move", lambda: self._server.move(moved))

    def close(self) -> None:
        self.ended = True
        self._server.forget(self)
