"""The worker: polls a projection's topics as a member of its consumer group and applies what comes, for ever.

Nothing that an engine does ends it: it pauses with back-off, loads the checkpoints again and goes on. Checkpoints, not
Kafka's offsets, say where it is. What operators say reaches it within a second.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Any

from django.db import close_old_connections
from pymongo.database import Database

from acme import metrics
from acme.bus import BusUnavailable, Consumer
from acme.ports import EventLog, SubjectKeys
from projections.runtime.announcer import Announce
from projections.runtime.applier import QueueFull
from projections.runtime.checkpoints import Stream
from projections.runtime.documents import Overtaken
from projections.runtime.failures import is_engine_failure
from projections.runtime.generations import abandon_group, open_live
from projections.runtime.heartbeat import Heartbeat, worker_key
from projections.runtime.instructions import PAUSED, Handover, Instructions
from projections.runtime.intake import Arrived, StreamBlocked
from projections.runtime.part import Part
from projections.runtime.projection import Projection
from projections.runtime.settings import DEFAULT, WorkerSettings
from projections.runtime.supply import Supply, comes_before
from projections.runtime.watchdog import Watchdog

logger = logging.getLogger(__name__)
Joined = Callable[[list[Stream]], None]
#: Makes the group consumer: (group, topics, on_assigned, on_revoked) → Consumer.
MakeConsumer = Callable[[str, tuple[str, ...], Joined, Joined], Consumer]
#: Topic name → identity of those that Kafka has now.
Identities = Callable[[tuple[str, ...]], dict[str, str]]


class Worker:
    """Runs one projection's live generation for the partitions that its group hands out.

    ``follows``: another generation instead, whatever is live; whoever made the worker ends it when that is over.
    """

    def __init__(
        self,
        projection: Projection,
        store: Database[dict[str, Any]],
        log: EventLog,
        keys: SubjectKeys,
        make_consumer: MakeConsumer,
        identities: Identities,
        settings: WorkerSettings = DEFAULT,
        announce: Announce = lambda letters, streams: None,
        follows: int | None = None,
    ) -> None:
        self._follows = follows
        handover = None if follows else Handover(store, projection.name, settings.handover)
        self._told = Instructions(store, projection.name, handover)
        self.projection, self._settings = projection, settings
        self._store, self._log, self._keys = store, log, keys
        self._make_consumer, self._read_identities = make_consumer, identities
        self._announce = announce
        self._key = worker_key(projection.name)
        self._watchdog = Watchdog(store, self._key, settings)
        self._supply = Supply(projection.name, log, settings)
        self._part: Part | None = None
        self._consumer: Consumer | None = None
        self._assigned: set[Stream] = set()
        self._identities: dict[str, str] = {}
        self._applied_since_beat = 0
        self._last_beat = self._last_look = self._last_tidy = 0.0
        self._without_partitions_since = time.monotonic()
        self._failures = 0
        self._stale = True

    @property
    def paused(self) -> bool:
        """Whether an operator has paused the projection."""
        return self._told.rest == PAUSED

    @property
    def blocked(self) -> set[Stream]:
        """Partitions that cannot go on."""
        return set(self._supply.blocked)

    def why_not(self) -> str:
        """Why it is not working on everything it has."""
        reasons = {f"{t}[{p}]: {blocked.why}" for (t, p), blocked in self._supply.blocked.items()}
        return "it is paused" if self.paused else "; ".join(sorted(reasons))

    def run(self, stop: threading.Event, until: Callable[[], bool] = lambda: False) -> None:
        """Works until ``stop`` is set or ``until`` is true; then leaves the group with its checkpoints written."""
        with self._watchdog:
            try:
                while not stop.is_set() and not until():
                    self._guarded_turn(stop)
            finally:
                self._close()

    def _guarded_turn(self, stop: threading.Event) -> None:
        try:
            self._turn()
            self._failures = 0
            self._watchdog.turned()
        except Overtaken as error:
            logger.warning("%s: overtaken, loading the checkpoints again: %s", self.projection.name, error)
            metrics.PROJECTION_OVERTAKEN.labels(projection=self.projection.name).inc()
            self._begin_again()
            self._watchdog.turned()
        except Exception as error:
            if not is_engine_failure(error):
                raise
            metrics.PROJECTION_ENGINE_FAILURES.labels(projection=self.projection.name).inc()
            self._begin_again()
            self._failures += 1
            pause = min(self._settings.backoff_cap, self._settings.backoff_first * 2 ** min(self._failures, 10))
            pause *= random.uniform(0.5, 1.0)  # noqa: S311 - jitter
            logger.warning("%s: waiting %.1f s: %s: %s", self.projection.name, pause, type(error).__name__, error)
            close_old_connections()  # a broken connection to PostgreSQL is not used again
            self._watchdog.turned(f"{type(error).__name__}: {error}"[:500])
            stop.wait(pause)

    def _begin_again(self) -> None:
        """Nothing that is held is believed any more, also of partitions that are paused or blocked."""
        self._supply.ready.clear()
        self._stale = True

    def _turn(self) -> None:
        self._look_at_orders()
        consumer, part = self._open()
        polled = self._supply.poll(consumer)
        if self._told.rest:
            self._rest(consumer, part)
        elif not self._prepare(consumer, part):  # else what was polled lies elsewhere, and comes again
            batch = self._supply.take(consumer, part.applier, polled, self._identities)
            meanwhile = self._supply.ahead_of(polled, consumer, part.applier, self._identities)
            with self._supply.size.timed(max(len(batch), polled.count), polled.allowed):
                self._applied_since_beat += self._apply(consumer, part, batch, meanwhile)
            if part.operations.due:
                part.operations.step(self._assigned & (self._supply.ready | self._full()))
        # Also before the first batch: a worker that hangs in it must be known to be one.
        if time.monotonic() - self._last_beat >= self._settings.heartbeat:
            self._beat(consumer, part)

    def _apply(self, consumer: Consumer, part: Part, batch: list[Arrived], meanwhile: Callable[[], None] | None) -> int:
        """Applies what can be; partitions that turn out to be blocked are left out, one after the other."""
        while batch:
            try:
                return part.applier.apply(batch, self._identities, meanwhile)
            except StreamBlocked as error:
                self._supply.block(consumer, error.streams, error)
                first = error.first if isinstance(error, QueueFull) else dict.fromkeys(error.streams, 0)
                batch = [item for item in batch if comes_before(item, first)]
        return 0

    def _full(self) -> set[Stream]:
        """Partitions that wait for room among the dead letters, which only operators' requests can make."""
        return {stream for stream, blocked in self._supply.blocked.items() if blocked.kind == QueueFull.kind}

    def _look_at_orders(self) -> None:
        """Pointer and requests, so often that an operator waits less than a second."""
        now = time.monotonic()
        if now - self._last_look < self._settings.control:
            return
        self._last_look = now
        group = self._told.orders.group
        changed, orders = self._told.read(), self._told.orders
        if self._part is not None and self._follows is None and orders.live != self._part.generation:
            logger.warning("%s: generation %d is live now", self.projection.name, orders.live)
            self._leave_group()
            self._supply.blocked.clear()
            self._part = None
        if self._consumer is not None and orders.group != group:
            logger.warning("%s: joining another consumer group", self.projection.name)
            self._leave_group()
        if changed:
            logger.warning("%s: %s", self.projection.name, self._told.rest or "goes on")
            self._supply.ready.clear()
            self._last_beat = 0.0  # whoever has asked sees the answer at once
        if self._part is not None:
            self._part.operations.look()

    def _rest(self, consumer: Consumer, part: Part) -> None:
        """Paused, or another generation is about to go live: partitions are kept, nothing is applied."""
        self._supply.ready.clear()
        consumer.pause(self._assigned)
        if self._stale or part.applier.held.keys() != self._assigned:
            part.applier.reload(self._assigned)
            self._stale = False

    def _open(self) -> tuple[Consumer, Part]:
        if self._part is None:
            generation = self._follows or open_live(self._store, self.projection)
            self._told.read()
            self._part = Part.of(
                self.projection, generation, self._store, self._log, self._keys.unseal, self._settings, self._key
            )
        if self._consumer is None:
            # A member that joins before the topics exist gets nothing until its metadata is old enough to be refreshed.
            missing = set(self.projection.topics) - set(self._read_identities(self.projection.topics))
            if missing:
                raise BusUnavailable(f"Kafka has no topics {', '.join(sorted(missing))} yet (manage.py create_topics)")
            group = f"acme.{self.projection.name}.g{self._part.generation}.{self._told.orders.group}"
            self._consumer = self._make_consumer(
                group, self.projection.topics, self._assigned.update, self._assigned.difference_update
            )
        return self._consumer, self._part

    def _prepare(self, consumer: Consumer, part: Part) -> bool:
        """Makes every assigned partition ready, unless all are: checkpoint loaded and consumer there."""
        supply, applier = self._supply, part.applier
        if supply.ready == self._assigned - set(supply.blocked) and not self._stale:
            return False
        self._identities = self._current_identities()
        supply.heads = {(h.topic, h.partition): h for h in self._log.heads(self.projection.topics)}
        taken_over = self._stale or applier.held.keys() != self._assigned
        applier.reload(self._assigned)
        if taken_over:
            self._tidy(part)
        self._stale = False
        consumer.resume(self._assigned - set(supply.blocked))
        for topic, partition in self._assigned:
            held = applier.held[topic, partition]
            if held.offset >= 0 and held.topic_identity == self._identities.get(topic):
                consumer.seek(topic, partition, held.offset + 1)
            else:
                consumer.seek_to_beginning(topic, partition)
        supply.restart()
        part.operations.look()
        supply.ready = self._assigned - set(supply.blocked)
        return True

    def _tidy(self, part: Part) -> None:
        self._last_tidy = time.monotonic()
        part.mending.tidy()

    def _current_identities(self) -> dict[str, str]:
        """As Kafka says; while it is down those known, so that the log can go on supplying."""
        try:
            return self._read_identities(self.projection.topics)
        except BusUnavailable as error:
            logger.warning("%s: Kafka cannot be reached: %s", self.projection.name, error)
            return self._identities

    def _beat(self, consumer: Consumer, part: Part) -> None:
        """Once a second: heads, audit, identities, the worker's own state."""
        now = time.monotonic()
        elapsed, self._last_beat = now - self._last_beat, now
        self._leave_dead_group(part.heartbeat)
        supply, applier = self._supply, part.applier
        supply.look_again(self._assigned)
        identities = self._current_identities()
        if supply.ready and identities != self._identities:
            logger.warning("%s: Kafka has other topics than before, reading them from the start", self.projection.name)
            supply.ready.clear()
        rate = round(self._applied_since_beat / elapsed) if elapsed < 60 else 0
        self._applied_since_beat = 0
        supply.heads = part.heartbeat.copy_heads(self.projection.topics)
        held = {stream: applier.held[stream] for stream in applier.held.keys() & self._assigned}
        part.heartbeat.beat(
            held,
            supply.heads,
            state=self._state(),
            blocked=supply.as_rows(),
            rate=rate,
            lease=self._settings.lease,
            handing_over=self._told.rests_for,
        )
        if applier.held:
            applier.audit()
            if now - self._last_tidy > self._settings.tidy:
                self._tidy(part)
        consumer.commit({s: c.offset + 1 for s, c in held.items() if c.offset >= 0})
        self._announce(applier.letters, held)

    def _state(self) -> str:
        if self._told.rest:
            return self._told.rest
        if not self._assigned:
            return "waiting for partitions"
        return "blocked" if self._supply.blocked else "running"

    def _leave_dead_group(self, beat: Heartbeat) -> None:
        """Gives up a consumer group in which nobody gets partitions, as a broker may have after a leave amid a join."""
        now = time.monotonic()
        if self._follows or self._assigned or beat.somebody_works():  # a follower does not move the live workers
            self._without_partitions_since = now
        elif now - self._without_partitions_since > self._settings.group_given_up:
            logger.warning("%s: nobody gets partitions in group %d", self.projection.name, self._told.orders.group)
            abandon_group(self._store, self.projection, self._told.orders.group)

    def _leave_group(self) -> None:
        if self._consumer is not None:
            self._consumer.close()
        self._consumer = None
        self._without_partitions_since = time.monotonic()
        self._assigned.clear()
        self._supply.ready.clear()

    def _close(self) -> None:
        if self._consumer is not None:
            self._consumer.close()
        if self._part is not None:
            try:
                self._part.heartbeat.leave()
            except Exception as error:
                if not is_engine_failure(error):
                    raise
                logger.warning("%s: could not say goodbye: %s", self.projection.name, error)
