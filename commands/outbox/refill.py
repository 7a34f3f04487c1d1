"""What to send again after Kafka was emptied, replaced or cut short: pure decisions, one partition at a time.

The rule: everything above the cursor is sent, so a cursor that is too low costs duplicates and one that is too high
loses events. Whatever does not fit together therefore moves the cursor back. Only when Kafka holds what the log does
not know is it the log that is wrong (PostgreSQL was restored to an earlier moment); then nothing may be sent before
an operator starts a new epoch.

Only the last record is looked at. Two faults at once (Kafka loses its tail unnoticed, and a publisher that was stopped
sends old events behind it) can leave Kafka without some events; consumers see the hole and fill it from the log.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Cursor:
    """How far a partition is numbered and published, as PostgreSQL remembers it (a row of ``stream_head``)."""

    topic: str
    partition: int
    sequence: int = 0  # last numbered; 0: none
    published: int = 0  # last acknowledged by Kafka; 0: none
    topic_identity: str = ""
    kafka_offset: int = -1  # of the record with sequence `published`

    def rewound(self) -> Cursor:
        """The same partition with nothing published."""
        return replace(self, published=0, topic_identity="", kafka_offset=-1)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The last event in a partition, as Kafka has it."""

    offset: int
    epoch: int
    sequence: int
    event_id: UUID


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What Kafka shows of a partition: the incarnation of its topic, the next offset, the last event if any."""

    topic_identity: str
    end: int
    last: Shown | None = None


@dataclass(frozen=True, kw_only=True)
class Halt:
    """Kafka is ahead of the log, or tells another story: an operator has to decide."""

    reason: str


def resume(cursor: Cursor, seen: Seen, epoch: int, logged: UUID | None) -> Cursor | Halt:
    """From where to go on: a cursor at or below the given one, or a reason to stop.

    ``logged`` is the event id that the log has under ``seen.last.sequence`` (None: there is none).
    """
    last = seen.last
    where = f"{cursor.topic}[{cursor.partition}]"
    if last is not None and last.epoch > epoch:
        return Halt(reason=f"{where}: Kafka has records of log epoch {last.epoch}, the log is in epoch {epoch}")
    if last is not None and last.epoch == epoch:
        if last.sequence > cursor.sequence:
            return Halt(reason=f"{where}: Kafka has sequence {last.sequence}, the log ends at {cursor.sequence}")
        if last.event_id != logged:
            return Halt(
                reason=f"{where}: sequence {last.sequence} is event {last.event_id} in Kafka, {logged} in the log"
            )
    if seen.topic_identity != cursor.topic_identity:
        return replace(cursor.rewound(), topic_identity=seen.topic_identity)
    if seen.end <= cursor.kafka_offset:  # cut short: the last acknowledged record is gone
        # Sequence n cannot stand below offset n - 1 if all before it are there: a topic that was replaced amid a batch
        # begins in the middle.
        whole = last is not None and last.offset + 1 >= last.sequence
        if last is not None and whole and last.epoch == epoch and last.sequence < cursor.published:
            return replace(cursor, published=last.sequence, kafka_offset=last.offset)
        return replace(cursor.rewound(), topic_identity=seen.topic_identity)
    if last is not None and last.epoch == epoch and _too_dense(cursor, last):
        return replace(cursor.rewound(), topic_identity=seen.topic_identity)
    return cursor


def _too_dense(cursor: Cursor, last: Shown) -> bool:
    """Whether fewer offsets than events lie between cursor and last event: something before was cut out meanwhile."""
    ahead = last.sequence - cursor.published
    return ahead > 0 and last.offset < cursor.kafka_offset + ahead


def acknowledged(cursor: Cursor, sequences: Sequence[int], offsets: Sequence[int], topic_identity: str) -> Cursor:
    """The cursor after these records of one partition were acknowledged at these offsets.

    Offsets that do not rise above the recorded one mean another Kafka than before: then nothing counts as published.
    """
    before = cursor.kafka_offset
    for offset in offsets:
        if offset <= before:
            return cursor.rewound()
        before = offset
    return replace(cursor, published=sequences[-1], kafka_offset=offsets[-1], topic_identity=topic_identity)
