"""Where a rebuild reads from: the event log, or Kafka when it still has everything.

Both answer the next events of a partition after a checkpoint, without hole or repetition; a source that does not reach
back to the beginning refuses, it never leaves anything out.
"""

from __future__ import annotations

from typing import Protocol

from acme.bus import Reader, Record, Topics
from acme.contracts.envelope import Envelope, Undecodable, from_record
from acme.ports import EventLog, StreamHead
from projections.runtime.checkpoints import Checkpoint, Stream
from projections.runtime.intake import Arrived, Fill, StreamBlocked, read_ahead, take_in_order


class SourceIncomplete(StreamBlocked):
    """The source lacks an event that the log has."""

    kind = "source"


class Source(Protocol):
    """``start`` once per take-over, then `next` as often as wanted."""

    def start(self, held: dict[Stream, Checkpoint]) -> None: ...

    def end(self, head: StreamHead) -> int:
        """The last sequence that the source has when the log stands there."""

    def next(self, held: Checkpoint, head: StreamHead, limit: int) -> list[Arrived]:
        """Up to so many events after ``held``, at most up to the end. Raises `StreamBlocked` and engine failures."""

    def close(self) -> None: ...


class LogSource:
    """The event log in PostgreSQL."""

    def __init__(self, log: EventLog) -> None:
        self._log = log

    def start(self, held: dict[Stream, Checkpoint]) -> None:
        """Nothing to be done."""

    def end(self, head: StreamHead) -> int:
        return head.sequence

    def next(self, held: Checkpoint, head: StreamHead, limit: int) -> list[Arrived]:
        def fill(first: int, last: int) -> list[Envelope]:
            return list(self._log.read(head.topic, head.partition, first, last))

        return read_ahead(held, head.sequence, fill, log_epoch=head.log_epoch, limit=limit)

    def close(self) -> None:
        """Nothing to be done."""


class KafkaSource:
    """The topics themselves, read by nobody's group from the beginning (or from where a checkpoint says).

    `next` raises `acme.bus.BusUnavailable` when Kafka is away, `SourceIncomplete` when it is there and lacks something.
    """

    PATIENCE = 20  # polls that bring nothing that is wanted although Kafka has acknowledged more
    POLL = 0.5  # seconds

    def __init__(self, bootstrap: str, streams: list[Stream], identities: dict[str, str]) -> None:
        self._reader, self.identities = Reader(bootstrap, streams), identities
        self._bootstrap = bootstrap
        self._waiting: dict[Stream, list[Arrived]] = {}
        self._passed_over: set[Stream] = set()  # asked in vain since something was taken
        self._polls_in_vain = 0

    def start(self, held: dict[Stream, Checkpoint]) -> None:
        self._waiting = {stream: [] for stream in held}
        self._polls_in_vain = 0
        for (topic, partition), checkpoint in held.items():
            known = checkpoint.offset >= 0 and checkpoint.topic_identity == self.identities.get(topic)
            self._reader.seek(topic, partition, checkpoint.offset + 1 if known else 0)

    def end(self, head: StreamHead) -> int:
        return head.published

    def next(self, held: Checkpoint, head: StreamHead, limit: int) -> list[Arrived]:
        waiting = self._waiting[held.stream]
        if not waiting and self._nobody_takes(held.stream):
            self._poll(held.stream)
        if not waiting:
            self._passed_over.add(held.stream)
            return []
        some, waiting[:] = waiting[:limit], waiting[limit:]
        self._passed_over.clear()
        self._polls_in_vain = 0
        return take_in_order(held, some, self._lacks(held.stream), log_epoch=head.log_epoch, limit=limit)

    def _nobody_takes(self, stream: Stream) -> bool:
        """Whether what waits, if anything, is of partitions that want no more: of events behind their end, or twice."""
        return stream in self._passed_over or not any(self._waiting.values())

    def _poll(self, stream: Stream) -> None:
        self._polls_in_vain += 1
        if self._polls_in_vain > self.PATIENCE:
            Topics(self._bootstrap).close()  # where no broker answers, that is why
            raise SourceIncomplete(f"Kafka brings nothing more of {stream[0]}[{stream[1]}]: rebuild from the log")
        self._passed_over.clear()
        for polled, records in self._reader.poll(self.POLL).items():
            self._waiting[polled].extend(_events(records))

    def _lacks(self, stream: Stream) -> Fill:
        def fill(first: int, last: int) -> list[Envelope]:
            topic, partition = stream
            raise SourceIncomplete(
                f"Kafka does not reach back to the beginning: {topic}[{partition}] lacks sequence {first} to {last}. "
                "Rebuild from the log, or have it sent again (manage.py relay --replay)"
            )

        return fill

    def close(self) -> None:
        self._reader.close()


def _events(records: list[Record]) -> list[Arrived]:
    """Without records that are no events: whatever stood there, dense sequences show whether one is missing."""
    found = []
    for record in records:
        try:
            envelope = from_record(record.topic, record.partition, record.value, record.headers)
        except Undecodable:
            continue
        found.append(Arrived(envelope=envelope, offset=record.offset))
    return found
