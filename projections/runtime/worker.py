"""A worker: a member of its projection's consumer group that polls, applies and heals.

The loop has one rule: whatever goes wrong, the batch is dropped, the checkpoints are loaded again, and the stream is
followed from there. Nothing else is remembered between turns that the store does not have.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any
from uuid import UUID

from django.db import close_old_connections
from pymongo.database import Database

from acme.bus import BusUnavailable, Consumer, Record
from acme.contracts.envelope import Undecodable, from_record
from acme.ports import EventLog, StreamHead, SubjectKeys
from projections.runtime.applier import Applier
from projections.runtime.checkpoints import Checkpoint, Stream
from projections.runtime.documents import Overtaken
from projections.runtime.failures import is_engine_failure
from projections.runtime.generations import abandon_group, group_number, open_live
from projections.runtime.heartbeat import Heartbeat
from projections.runtime.intake import Arrived, Fill, StreamBlocked, first_left, read_ahead, take_in_order
from projections.runtime.projection import Projection
from projections.runtime.settings import DEFAULT, WorkerSettings

logger = logging.getLogger(__name__)
Joined = Callable[[list[Stream]], None]
#: Makes the group consumer: (group, topics, on_assigned, on_revoked) → Consumer.
MakeConsumer = Callable[[str, tuple[str, ...], Joined, Joined], Consumer]
#: Topic name → identity of those that Kafka has now.
Identities = Callable[[tuple[str, ...]], dict[str, str]]


class Worker:
    """Runs one projection's live generation for the partitions that its group hands out."""

    def __init__(
        self,
        projection: Projection,
        store: Database[dict[str, Any]],
        log: EventLog,
        keys: SubjectKeys,
        make_consumer: MakeConsumer,
        identities: Identities,
        settings: WorkerSettings = DEFAULT,
    ) -> None:
        self.projection, self._settings = projection, settings
        self._store, self._log, self._keys = store, log, keys
        self._make_consumer, self._read_identities = make_consumer, identities
        self._consumer: Consumer | None = None
        self._applier: Applier | None = None
        self._heartbeat: Heartbeat | None = None
        self._assigned: set[Stream] = set()
        self._ready: set[Stream] = set()  # checkpoint loaded and consumer sought to it
        self._blocked: dict[Stream, tuple[float, str]] = {}
        self._heads: dict[Stream, StreamHead] = {}
        self._identities: dict[str, str] = {}
        self._waited: dict[Stream, float] = {}  # how long polls have brought nothing though it is behind the head
        self._tried: set[str] = set()  # stopped aggregates that were tried again since their partition came
        self._left_over: set[str] = set()  # those that can be tried once the checkpoint has come further
        self._applied_since_beat = 0
        self._last_beat = 0.0
        self._group = 0
        self._without_partitions_since = time.monotonic()
        self._failures = 0

    def run(self, stop: threading.Event, until: Callable[[], bool] = lambda: False) -> None:
        """Works until ``stop`` is set or ``until`` is true; then leaves the group with its checkpoints written."""
        try:
            while not stop.is_set() and not until():
                self._guarded_turn(stop)
        finally:
            self._close()

    def _guarded_turn(self, stop: threading.Event) -> None:
        try:
            self._turn()
            self._failures = 0
        except Overtaken as error:
            logger.warning("%s: overtaken, loading the checkpoints again: %s", self.projection.name, error)
            self._ready.clear()
        except Exception as error:
            if not is_engine_failure(error):
                raise
            self._ready.clear()
            self._failures += 1
            pause = min(self._settings.backoff_cap, self._settings.backoff_first * 2 ** min(self._failures, 10))
            pause *= random.uniform(0.5, 1.0)  # noqa: S311 - jitter
            logger.warning("%s: waiting %.1f s: %s: %s", self.projection.name, pause, type(error).__name__, error)
            close_old_connections()  # a broken connection to PostgreSQL is not used again
            stop.wait(pause)

    def _turn(self) -> None:
        consumer, applier = self._open()
        started = time.monotonic()
        records = consumer.poll(self._settings.poll, self._settings.max_records)
        if self._prepare(consumer, applier):
            return  # what was polled lies somewhere else than the checkpoints; it comes again
        self._wait_on(applier, records, time.monotonic() - started)
        batch = self._take(consumer, applier, records)
        batch.extend(self._take_from_log(applier, records))
        if batch:
            self._applied_since_beat += applier.apply(batch, self._identities)
            if self._left_over and any(stopped.aggregate in self._left_over for stopped in applier.may_retry()):
                self._ready.clear()
        if time.monotonic() - self._last_beat >= self._settings.heartbeat:
            self._beat(consumer, applier)

    def _open(self) -> tuple[Consumer, Applier]:
        if self._applier is None or self._heartbeat is None:
            generation = open_live(self._store, self.projection)
            self._applier = Applier(self.projection, generation, self._store, self._keys.unseal)
            self._heartbeat = Heartbeat(self._store, self._log, self.projection.name, generation)
        if self._consumer is None:
            # A member that joins before the topics exist gets nothing until its metadata is old enough to be refreshed.
            missing = set(self.projection.topics) - set(self._read_identities(self.projection.topics))
            if missing:
                raise BusUnavailable(f"Kafka has no topics {', '.join(sorted(missing))} yet (manage.py create_topics)")
            self._group = group_number(self._store, self.projection)
            group = f"acme.{self.projection.name}.g{self._applier.generation}.{self._group}"
            self._consumer = self._make_consumer(
                group, self.projection.topics, self._assigned.update, self._assigned.difference_update
            )
        return self._consumer, self._applier

    def _prepare(self, consumer: Consumer, applier: Applier) -> bool:
        """Makes every assigned partition ready, unless all are: checkpoint loaded and consumer there."""
        if self._ready == self._assigned - set(self._blocked):
            return False
        self._identities = self._current_identities()
        self._heads = {(h.topic, h.partition): h for h in self._log.heads(self.projection.topics)}
        applier.reload(self._assigned)
        consumer.resume(self._assigned - set(self._blocked))
        for topic, partition in self._assigned:
            held = applier.held[topic, partition]
            if held.offset >= 0 and held.topic_identity == self._identities.get(topic):
                consumer.seek(topic, partition, held.offset + 1)
            else:
                consumer.seek_to_beginning(topic, partition)
        self._waited.clear()
        self._try_stopped_again(applier)
        self._ready = self._assigned - set(self._blocked)
        return True

    def _try_stopped_again(self, applier: Applier) -> None:
        """Each stopped aggregate once after its partition has come; not at every reload, there may be many."""
        self._tried &= applier.stopped.keys()
        for stopped in applier.may_retry():
            if stopped.aggregate in self._tried:
                continue
            kind, _, key = stopped.aggregate.partition(":")
            done = applier.retry(stopped, self._log.read_aggregate(kind, UUID(key), stopped.first_version))
            self._tried.add(stopped.aggregate)
            outcome = "goes on" if done else f"is still stopped: {applier.stopped[stopped.aggregate].error}"
            logger.warning("%s: %s %s", self.projection.name, stopped.aggregate, outcome)
        self._left_over = applier.stopped.keys() - self._tried

    def _current_identities(self) -> dict[str, str]:
        """As Kafka says; while it is down those known, so that the log can go on supplying."""
        try:
            return self._read_identities(self.projection.topics)
        except BusUnavailable as error:
            logger.warning("%s: Kafka cannot be reached: %s", self.projection.name, error)
            return self._identities

    def _take(self, consumer: Consumer, applier: Applier, records: dict[Stream, list[Record]]) -> list[Arrived]:
        """What may be applied of the polled records, holes filled from the log."""
        batch: list[Arrived] = []
        for stream, found in records.items():
            if stream in self._ready:
                arrived = list(self._decoded(found))
                taken = self._or_block(stream, partial(self._in_order, applier.held[stream], arrived))
                batch.extend(taken)
                left = first_left(arrived, taken)
                if left is not None:
                    consumer.seek(*stream, left)
        return batch

    def _decoded(self, records: list[Record]) -> Iterable[Arrived]:
        """Records that are no event are passed over: if one stood for a sequence, the log has the event."""
        for record in records:
            try:
                envelope = from_record(record.topic, record.partition, record.value, record.headers)
            except Undecodable as error:
                logger.error("%s: offset %d is no event: %s", self.projection.name, record.offset, error)
                continue
            yield Arrived(envelope=envelope, offset=record.offset)

    def _in_order(self, held: Checkpoint, arrived: list[Arrived]) -> list[Arrived]:
        fill, epoch = self._fill(held.stream), self._epoch(held.stream)
        return take_in_order(held, arrived, fill, log_epoch=epoch, limit=self._settings.log_records)

    def _wait_on(self, applier: Applier, records: dict[Stream, list[Record]], seconds: float) -> None:
        """Adds to the time for which each partition has waited.

        A full poll is none: Kafka has more, and the partition may only wait for its turn.
        """
        if sum(map(len, records.values())) >= self._settings.max_records:
            return
        for stream in self._ready:
            head = self._heads.get(stream)
            behind = head is not None and head.sequence > applier.held[stream].sequence
            waits = behind and stream not in records
            self._waited[stream] = self._waited.get(stream, 0.0) + seconds if waits else 0.0

    def _take_from_log(self, applier: Applier, records: dict[Stream, list[Record]]) -> list[Arrived]:
        """Events of partitions that are behind the head though nothing has come for a while."""
        batch: list[Arrived] = []
        for stream in sorted(self._ready - records.keys(), key=lambda s: -self._waited.get(s, 0.0)):
            head, held = self._heads.get(stream), applier.held[stream]
            room = self._settings.log_records - len(batch)
            if room <= 0 or self._waited.get(stream, 0.0) < self._settings.idle_before_log:
                break
            if head is not None and head.sequence > held.sequence:
                batch.extend(self._or_block(stream, partial(self._read_ahead, held, head, room)))
        return batch

    def _read_ahead(self, held: Checkpoint, head: StreamHead, limit: int) -> list[Arrived]:
        return read_ahead(held, head.sequence, self._fill(held.stream), log_epoch=head.log_epoch, limit=limit)

    def _fill(self, stream: Stream) -> Fill:
        return lambda first, last: self._log.read(stream[0], stream[1], first, last)

    def _epoch(self, stream: Stream) -> int:
        head = self._heads.get(stream)
        return head.log_epoch if head else 1

    def _or_block(self, stream: Stream, take: Callable[[], list[Arrived]]) -> list[Arrived]:
        """The partition is set aside when it cannot go on; it is looked at again after a while."""
        try:
            return take()
        except StreamBlocked as error:
            logger.error("%s: %s[%d] cannot go on: %s", self.projection.name, stream[0], stream[1], error)
            self._blocked[stream] = (time.monotonic(), str(error))
            self._ready.discard(stream)
            if self._consumer is not None:
                self._consumer.pause([stream])
            return []

    def _beat(self, consumer: Consumer, applier: Applier) -> None:
        """Once a second: heads, audit, identities, the worker's own state."""
        beat = self._heartbeat
        now = time.monotonic()
        elapsed, self._last_beat = now - self._last_beat, now
        if beat is not None and self._left_group(beat):
            return
        applier.audit()
        for stream, (since, _) in list(self._blocked.items()):
            if now - since > self._settings.blocked_retry or stream not in self._assigned:
                del self._blocked[stream]
        identities = self._current_identities()
        if self._ready and identities != self._identities:
            logger.warning("%s: Kafka has other topics than before, reading them from the start", self.projection.name)
            self._ready.clear()
        rate = round(self._applied_since_beat / elapsed) if elapsed < 60 else 0
        self._applied_since_beat = 0
        if beat is not None:
            self._heads = beat.copy_heads(self.projection.topics)
            state = "blocked" if self._blocked else "running" if self._assigned else "waiting for partitions"
            detail = "; ".join(f"{t}[{p}]: {why}" for (t, p), (_, why) in self._blocked.items())
            beat.beat(applier.held, self._heads, state=state, detail=detail, rate=rate)
        consumer.commit({s: c.offset + 1 for s, c in applier.held.items() if c.offset >= 0})

    def _left_group(self, beat: Heartbeat) -> bool:
        """Leaves a consumer group in which nobody gets partitions, as a broker may have after a leave amid a join."""
        now = time.monotonic()
        if self._assigned or beat.somebody_works():
            self._without_partitions_since = now
        elif now - self._without_partitions_since > self._settings.group_given_up:
            logger.warning("%s: nobody gets partitions in group %d", self.projection.name, self._group)
            abandon_group(self._store, self.projection, self._group)
        if self._consumer is None or group_number(self._store, self.projection) == self._group:
            return False
        logger.warning("%s: joining another consumer group", self.projection.name)
        self._consumer.close()
        self._consumer = None
        self._without_partitions_since = now
        self._assigned.clear()
        self._ready.clear()
        return True

    def _close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()
        if self._heartbeat is not None:
            try:
                self._heartbeat.leave()
            except Exception as error:
                if not is_engine_failure(error):
                    raise
                logger.warning("%s: could not say goodbye: %s", self.projection.name, error)
