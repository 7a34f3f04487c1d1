"""The publisher's session in PostgreSQL: the lock that makes it the only one, and the statements of its loop.

The lane is an advisory lock of the session. Its holder's session is ended by the server after ten seconds of silence
(a stopped process, a dead host), and the lock with it; `ping` keeps it while Kafka is waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg

from acme.contracts.envelope import Envelope
from commands.outbox.columns import SELECTED, envelope_of
from commands.outbox.direct import SILENCE_SECONDS, Connection, connect
from commands.outbox.refill import Cursor
from commands.outbox.sequencer import number

APPLICATION = "acme-publisher"
LOCK = 0x61636D65  # "acme"; advisory locks are per database

ACQUIRE = f"""
SELECT held, set_config('idle_session_timeout', CASE WHEN held THEN %s ELSE '0' END, false)
FROM pg_try_advisory_lock({LOCK}) AS held
"""  # noqa: S608 (constants)
RELEASE = f"SELECT pg_advisory_unlock({LOCK}), set_config('idle_session_timeout', '0', false)"
BACKLOG = """
SELECT EXISTS (SELECT FROM domain_event WHERE sequence IS NULL)
    OR EXISTS (SELECT FROM stream_head WHERE published < sequence)
"""
EPOCH = "SELECT epoch, halted_reason FROM log_epoch ORDER BY epoch DESC LIMIT 1"
CURSOR_FIELDS = "topic, partition, sequence, published, topic_identity, kafka_offset"
UNPUBLISHED = f"""
SELECT {SELECTED}
FROM stream_head AS head CROSS JOIN LATERAL (
    SELECT * FROM domain_event
    WHERE topic = head.topic AND partition = head.partition AND sequence > head.published
    ORDER BY sequence LIMIT (SELECT greatest(1, %s / count(*)) FROM stream_head WHERE published < sequence)
) AS event
WHERE head.published < head.sequence
"""  # noqa: S608 (constants)
LOGGED = """
SELECT event.topic, event.partition, event.event_id
FROM unnest(%s::text[], %s::int[], %s::bigint[]) AS wanted (topic, partition, sequence)
JOIN domain_event AS event USING (topic, partition, sequence)
"""
# Not waiting for the disk is right here: a cursor that a crash of PostgreSQL takes back only costs duplicates.
MOVE = """
INSERT INTO stream_head AS head (topic, partition, sequence, published, topic_identity, kafka_offset)
SELECT moved.topic, moved.partition, 0, moved.published, moved.topic_identity, moved.kafka_offset
FROM unnest(%s::text[], %s::int[], %s::bigint[], %s::text[], %s::bigint[])
        AS moved (topic, partition, published, topic_identity, kafka_offset),
    (SELECT set_config('synchronous_commit', 'off', true)) AS lazily
ON CONFLICT (topic, partition) DO UPDATE
SET published = EXCLUDED.published, topic_identity = EXCLUDED.topic_identity, kafka_offset = EXCLUDED.kafka_offset
"""
REWIND = "UPDATE stream_head SET published = 0, topic_identity = '', kafka_offset = -1 WHERE topic = ANY(%s)"


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """The log's epoch, and why the publisher was halted in it (empty: it was not)."""

    number: int = 1
    halted_reason: str = ""


class Lane:
    """One session; every method may raise `psycopg.OperationalError`, after which `close` and a new one are due."""

    def __init__(self) -> None:
        self._connection: Connection = connect(APPLICATION)

    def acquire(self) -> bool:
        """Takes the lane if it is free; never waits."""
        return bool(self._one(ACQUIRE, f"{SILENCE_SECONDS}s")[0])

    def release(self) -> None:
        self._connection.execute(RELEASE)

    def ping(self) -> None:
        """Shows the server that this process lives."""
        self._connection.execute("SELECT 1")

    def has_backlog(self) -> bool:
        """Whether anything waits for its number or for Kafka."""
        return bool(self._one(BACKLOG)[0])

    def epoch(self) -> Epoch:
        row = self._connection.execute(EPOCH).fetchone()
        return Epoch(number=row[0], halted_reason=row[1]) if row else Epoch()

    def halt(self, epoch: int, reason: str) -> None:
        """Notes why nothing may be published in this epoch any more."""
        self._connection.execute(
            "INSERT INTO log_epoch (epoch, started_at, halted_reason) VALUES (%s, now(), %s) "
            "ON CONFLICT (epoch) DO UPDATE SET halted_reason = EXCLUDED.halted_reason",
            [epoch, reason],
        )

    def start_epoch(self) -> int:
        """Starts the next epoch, with nothing published in it; returns its number."""
        with self._connection.transaction():
            started = self._one(
                "INSERT INTO log_epoch (epoch, started_at, halted_reason) "
                "SELECT coalesce(max(epoch), 1) + 1, now(), '' FROM log_epoch RETURNING epoch"
            )
            self._connection.execute("UPDATE stream_head SET published = 0, topic_identity = '', kafka_offset = -1")
        return int(started[0])

    def number(self, limit: int) -> int:
        """Numbers up to ``limit`` events; returns how many."""
        return number(self._connection, limit)

    def unpublished(self, limit: int, epoch: int) -> list[Envelope]:
        """The next events above the cursors, in sequence order within each partition.

        The limit is shared out evenly among the partitions that have any, so that none waits for another.
        """
        return [envelope_of(row, epoch) for row in self._connection.execute(UNPUBLISHED, [limit], prepare=True)]

    def cursors(self) -> dict[tuple[str, int], Cursor]:
        """Those of all partitions that ever had an event."""
        rows = self._connection.execute(f"SELECT {CURSOR_FIELDS} FROM stream_head")  # noqa: S608 (constants)
        names = [name.strip() for name in CURSOR_FIELDS.split(",")]
        cursors = [Cursor(**dict(zip(names, row, strict=True))) for row in rows]
        return {(cursor.topic, cursor.partition): cursor for cursor in cursors}

    def logged(self, places: Iterable[tuple[str, int, int]]) -> dict[tuple[str, int], UUID]:
        """(topic, partition) → the event id that the log has at (topic, partition, sequence), where it has one."""
        columns = _columns(places, 3)
        return {
            (topic, partition): event_id for topic, partition, event_id in self._connection.execute(LOGGED, columns)
        }

    def move(self, cursors: Sequence[Cursor]) -> None:
        """Stores what is published; the numbering is left alone."""
        rows = [(c.topic, c.partition, c.published, c.topic_identity, c.kafka_offset) for c in cursors]
        if rows:
            self._connection.execute(MOVE, _columns(rows, 5), prepare=True)

    def rewind(self, topics: Sequence[str]) -> None:
        """Makes everything of these topics unpublished."""
        self._connection.execute(REWIND, [list(topics)])

    def close(self) -> None:
        with suppress(psycopg.Error):
            self._connection.close()

    def _one(self, statement: str, *parameters: Any) -> tuple[Any, ...]:
        row = self._connection.execute(statement, parameters).fetchone()
        if row is None:
            raise RuntimeError(f"no row from {statement}")
        return row


def _columns(rows: Iterable[tuple[Any, ...]], width: int) -> list[list[Any]]:
    """Rows as one list per column, as unnest wants them."""
    columns = [list(column) for column in zip(*rows, strict=True)]
    return columns or [[] for _ in range(width)]
