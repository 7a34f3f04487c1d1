"""What a worker may apply next: polled records put in order, holes and ranges that Kafka lacks read from the log.

A partition that cannot go on is set aside with the reason, and looked at again after a while.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from acme.bus import Consumer, Record
from acme.contracts.envelope import Undecodable, from_record
from acme.ports import EventLog, StreamHead
from projections.runtime.applier import Applier
from projections.runtime.batch_size import BatchSize
from projections.runtime.checkpoints import Checkpoint, Stream
from projections.runtime.intake import Arrived, Fill, StreamBlocked, check_logged, first_left, read_ahead, take_in_order
from projections.runtime.settings import WorkerSettings

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Blocked:
    """Why a partition cannot go on, and since when (both clocks)."""

    kind: str
    why: str
    since: datetime
    looked_at: float


@dataclass(frozen=True, kw_only=True)
class Polled:
    """What a poll brought, in so many seconds. ``allowed``: how many events a batch might have then.

    ``ahead``: what may be applied of it, or why that is not known, when it was polled while another batch was written.
    """

    records: dict[Stream, list[Record]]
    allowed: int
    seconds: float = 0.0
    ahead: list[Arrived] | Exception | None = None

    @property
    def count(self) -> int:
        """Records."""
        return sum(map(len, self.records.values()))


class Supply:
    """The partitions of one worker as they are supplied. ``ready``: checkpoint loaded and consumer sought to it."""

    def __init__(self, name: str, log: EventLog, settings: WorkerSettings) -> None:
        self._name, self._log, self._settings = name, log, settings
        self.size = BatchSize(
            settings.first_batch,
            smallest=settings.smallest_batch,
            largest=max(settings.max_records, settings.log_records),
            longest=settings.longest_batch,
        )
        self.ready: set[Stream] = set()
        self.blocked: dict[Stream, Blocked] = {}
        self.heads: dict[Stream, StreamHead] = {}
        self._compared: dict[Stream, StreamHead] | None = None  # the heads that were there at the last comparison
        self._before: dict[Stream, Blocked] = {}  # why partitions were set aside that are looked at once more
        self._ahead: Polled | None = None
        self._waited: dict[Stream, float] = {}  # how long polls have brought nothing though it is behind the head

    @property
    def _max_records(self) -> int:
        """How many records the next poll may bring."""
        return min(self._settings.max_records, self.size.now)

    @property
    def _log_records(self) -> int:
        return min(self._settings.log_records, self.size.now)

    def restart(self) -> None:
        """Every partition is where its checkpoint is."""
        self._waited.clear()

    def poll(self, consumer: Consumer) -> Polled:
        """What was polled ahead, else what comes now."""
        ahead, self._ahead = self._ahead, None
        return ahead or self._poll(consumer, self._settings.poll)

    def _poll(self, consumer: Consumer, wait: float) -> Polled:
        started = time.monotonic()
        records = consumer.poll(wait, self._max_records)
        return Polled(records=records, allowed=self.size.now, seconds=time.monotonic() - started)

    def ahead_of(
        self, polled: Polled, consumer: Consumer, applier: Applier, identities: dict[str, str]
    ) -> Callable[[], None] | None:
        """What is worth doing while the store writes what was polled: polling, ordering and folding what comes next.

        None where so little came that nothing else will wait. What goes wrong is told, and raised by the next `take`.
        """
        if polled.count < self._max_records / 4:
            return None

        def read() -> None:
            if self._ahead is not None:
                return
            try:
                following = self._poll(consumer, 0.0)
                batch = self.take(consumer, applier, following, identities)
                applier.fold_ahead(batch)
                if following.records or batch:
                    self._ahead = replace(following, ahead=batch)
            except Exception as error:
                logger.warning("%s: reading ahead: %s: %s", self._name, type(error).__name__, error)
                self._ahead = Polled(records={}, allowed=self.size.now, ahead=error)

        return read

    def take(self, consumer: Consumer, applier: Applier, polled: Polled, identities: dict[str, str]) -> list[Arrived]:
        """What may be applied of what was polled, and of the log."""
        if isinstance(polled.ahead, Exception):
            raise polled.ahead
        if polled.ahead is not None:
            self._compare_with_log(consumer, applier.held)
            return [item for item in polled.ahead if (item.envelope.topic, item.envelope.partition) in self.ready]
        records, reached = polled.records, applier.reached
        self._wait_on(reached, polled)
        self._compare_with_log(consumer, reached)
        batch: list[Arrived] = []
        for stream, found in records.items():
            if stream not in self.ready:
                continue
            arrived, undecodable = self._decoded(found)
            try:
                applier.park_records(undecodable, identities)
            except StreamBlocked as error:
                self.block(consumer, [stream], error)
                continue
            taken = self._or_block(consumer, stream, partial(self._in_order, reached[stream], arrived))
            batch.extend(taken)
            if taken:
                self._before.pop(stream, None)
            left = first_left(arrived, taken)
            if left is not None:
                consumer.seek(*stream, left)
        batch.extend(self._take_from_log(consumer, reached, records))
        return batch

    def block(self, consumer: Consumer, streams: Iterable[Stream], error: StreamBlocked) -> None:
        """Sets partitions aside."""
        for stream in streams:
            logger.error("%s: %s[%d] cannot go on: %s", self._name, stream[0], stream[1], error)
            known = self.blocked.get(stream) or self._before.pop(stream, None)
            since = known.since if known and known.kind == error.kind else datetime.now(UTC)
            self.blocked[stream] = Blocked(kind=error.kind, why=str(error), since=since, looked_at=time.monotonic())
            self.ready.discard(stream)
            consumer.pause([stream])

    def look_again(self, assigned: set[Stream]) -> None:
        """Lets go of partitions that were set aside long enough ago."""
        now = time.monotonic()
        for stream, blocked in list(self.blocked.items()):
            if now - blocked.looked_at > self._settings.blocked_retry or stream not in assigned:
                self._before[stream] = self.blocked.pop(stream)

    def as_rows(self) -> list[dict[str, Any]]:
        """For the heartbeat."""
        return [
            {"topic": topic, "partition": partition, "kind": b.kind, "why": b.why, "since": b.since}
            for (topic, partition), b in sorted(self.blocked.items())
        ]

    def _compare_with_log(self, consumer: Consumer, held: dict[Stream, Checkpoint]) -> None:
        """Sets partitions aside where the log has another event than was applied; once for all heads that were read.

        Records alone do not tell: what a restored log goes on with may follow the checkpoint without a hole.
        """
        if self.heads is self._compared:
            return
        self._compared = self.heads
        wanted = {stream: held[stream] for stream in sorted(self.ready)}
        places = [(*stream, sequence) for stream, at in wanted.items() for sequence, _ in at.applied]
        logged = self._log.event_ids(places) if places else {}
        for stream, at in wanted.items():
            found = {number: event_id for (*place, number), event_id in logged.items() if tuple(place) == stream}
            try:
                check_logged(at, found, log_epoch=self._epoch(stream))
            except StreamBlocked as error:
                self.block(consumer, [stream], error)

    def _decoded(self, records: list[Record]) -> tuple[list[Arrived], list[tuple[Record, Undecodable]]]:
        """Events, and records that are none: if one of those stood for a sequence, the log has the event."""
        arrived: list[Arrived] = []
        undecodable: list[tuple[Record, Undecodable]] = []
        for record in records:
            try:
                envelope = from_record(record.topic, record.partition, record.value, record.headers)
            except Undecodable as error:
                logger.error("%s: offset %d is no event: %s", self._name, record.offset, error)
                undecodable.append((record, error))
            else:
                arrived.append(Arrived(envelope=envelope, offset=record.offset))
        return arrived, undecodable

    def _in_order(self, held: Checkpoint, arrived: list[Arrived]) -> list[Arrived]:
        fill, epoch = self._fill(held.stream), self._epoch(held.stream)
        return take_in_order(held, arrived, fill, log_epoch=epoch, limit=self._log_records)

    def _wait_on(self, reached: dict[Stream, Checkpoint], polled: Polled) -> None:
        """Adds to the time for which each partition has waited.

        A full poll is none: Kafka has more, and the partition may only wait for its turn.
        """
        if polled.count >= self._max_records:
            return
        for stream in self.ready:
            head = self.heads.get(stream)
            behind = head is not None and head.sequence > reached[stream].sequence
            waits = behind and stream not in polled.records
            self._waited[stream] = self._waited.get(stream, 0.0) + polled.seconds if waits else 0.0

    def _take_from_log(
        self, consumer: Consumer, reached: dict[Stream, Checkpoint], records: dict[Stream, list[Record]]
    ) -> list[Arrived]:
        """Events of partitions that are behind the head though nothing has come for a while."""
        batch: list[Arrived] = []
        for stream in sorted(self.ready - records.keys(), key=lambda s: -self._waited.get(s, 0.0)):
            head, held = self.heads.get(stream), reached[stream]
            room = self._log_records - len(batch)
            if room <= 0 or self._waited.get(stream, 0.0) < self._settings.idle_before_log:
                break
            if head is not None and head.sequence > held.sequence:
                batch.extend(self._or_block(consumer, stream, partial(self._read_ahead, held, head, room)))
        return batch

    def _read_ahead(self, held: Checkpoint, head: StreamHead, limit: int) -> list[Arrived]:
        return read_ahead(held, head.sequence, self._fill(held.stream), log_epoch=head.log_epoch, limit=limit)

    def _fill(self, stream: Stream) -> Fill:
        return lambda first, last: self._log.read(stream[0], stream[1], first, last)

    def _epoch(self, stream: Stream) -> int:
        head = self.heads.get(stream)
        return head.log_epoch if head else 1

    def _or_block(self, consumer: Consumer, stream: Stream, take: Callable[[], list[Arrived]]) -> list[Arrived]:
        try:
            return take()
        except StreamBlocked as error:
            self.block(consumer, [stream], error)
            return []


def comes_before(item: Arrived, first: dict[Stream, int]) -> bool:
    """Whether an event lies before the first that cannot be applied in its partition, if there is one."""
    stream = item.envelope.topic, item.envelope.partition
    return stream not in first or (item.envelope.sequence or 0) < first[stream]
