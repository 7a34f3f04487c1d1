"""Applying a batch to one generation: markers, dead letters, documents, checkpoints, in this order, each guarded.

A kill between any two writes is harmless: what is written again finds its letter, version or fence there already.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pymongo.database import Database

from acme import metrics
from acme.bus import Record
from acme.contracts.envelope import Envelope, Undecodable, Unseal
from projections.runtime import checkpoints
from projections.runtime.bulk import Unwritable
from projections.runtime.checkpoints import Checkpoint, Checkpoints, Stream
from projections.runtime.documents import Overtaken
from projections.runtime.fold import Fold, Refusal, group_by_aggregate
from projections.runtime.intake import Arrived, StreamBlocked
from projections.runtime.letters import DeadLetters, Offsets
from projections.runtime.projection import Projection
from projections.runtime.settings import QueueLimits
from projections.runtime.stopped import Stopped, StoppedAggregates, marker_of
from projections.runtime.writer import Writer
from queries.documents.connection import collection_name

Document = dict[str, Any]


class QueueFull(StreamBlocked):
    """One more dead letter would be too many: these partitions wait until an operator has made room."""

    kind = "queue-full"

    def __init__(self, first: dict[Stream, int], why: str) -> None:
        super().__init__(why)
        self.streams = set(first)
        self.first = first  # the sequence in each partition that does not fit any more


class Applier:
    """One generation of one projection, for the partitions in ``held``. Not thread-safe: one worker, one applier."""

    def __init__(
        self,
        projection: Projection,
        generation: int,
        store: Database[Document],
        unseal: Unseal,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        limits: QueueLimits | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.projection, self.generation = projection, generation
        self._store, self._incarnation = store, ""
        self.collection = store[collection_name(projection.name, generation)]
        self.checkpoints = Checkpoints(store, projection.name, generation)
        self.stopped_aggregates = StoppedAggregates(store, projection.name, generation)
        self.letters = DeadLetters(store, projection.name, generation)
        self.writer = Writer(projection, self.collection, unseal)
        self.held: dict[Stream, Checkpoint] = {}
        self._moves: dict[Stream, Checkpoint] = {}  # of the batch that is being written
        self.stopped: dict[str, Stopped] = {}
        self.clock = clock
        self._sleep = sleep
        self._limits = limits or QueueLimits()
        self._letters_known: int | None = None  # about how many there are: other workers park too

    def reload(self, streams: Iterable[Stream]) -> None:
        """Takes over these partitions (and no others) as the store has them; forgets every document.

        A marker that passes over more than the checkpoint is left by a batch that did not get so far. Its documents
        may have, and their fences are past those events then: they are passed over once more. A marker that no
        checkpoint names is left by a worker that had lost its partition, or by a retry that was killed: the events are
        in. Where checkpoint and marker differ, the checkpoint is right (`Mending.tidy` mends the markers).
        """
        wanted = list(streams)
        self.writer.forget()
        self._incarnation = checkpoints.store_incarnation(self._store)
        self._letters_known = None
        self.held = self.checkpoints.take_over(wanted, self._incarnation)
        found = self.stopped_aggregates.load(wanted)
        self.stopped = {name: marker for name, marker in found.items() if not self.left_over(marker)}
        for stream, held in self.held.items():
            for aggregate, first in held.stopped.items():
                marker = self.stopped.get(aggregate)
                if marker is None or marker.first_sequence != first:
                    self.stopped[aggregate] = marker_of(aggregate, stream, first, marker, held.sequence)

    def left_over(self, marker: Stopped) -> bool:
        """Whether the checkpoint says that the events of this marker's aggregate are in."""
        held = self.held[marker.stream]
        return marker.passed_to <= held.sequence and marker.aggregate not in held.stopped

    def audit(self) -> None:
        """Raises `Overtaken` when the store's checkpoints are not the held ones: it lost its tail, or a rival wrote."""
        self.same_store()
        for stream, stored in self.checkpoints.load(self.held).items():
            if not stored.same_as(self.held[stream]):
                raise Overtaken(
                    f"{stream[0]}[{stream[1]}]: {self.held[stream].sequence} held, {stored.sequence} stored"
                )

    @property
    def reached(self) -> dict[Stream, Checkpoint]:
        """``held`` as it will be after the batch that is being written."""
        return {**self.held, **self._moves}

    def fold_ahead(self, batch: list[Arrived]) -> None:
        """Folds a batch that is to follow the one that is being written, so that `apply` need not; for `meanwhile`."""
        if batch and not self.stopped:
            self.writer.fold_ahead([item.envelope for item in batch])

    def apply(
        self, batch: list[Arrived], identities: dict[str, str], meanwhile: Callable[[], None] | None = None
    ) -> int:
        """Applies contiguous events of held partitions; answers how many were not refused or passed over.

        ``meanwhile`` is called while the store writes, if nothing is refused; again where it has to write once more. It
        should not raise.

        Raises `Overtaken` (reload and go on), `StreamBlocked` (leave out its partitions and go on) or an engine's
        failure (wait, reload and go on); ``held`` stays then.
        """
        with metrics.PROJECTION_BATCH_SECONDS.labels(projection=self.projection.name).time():
            try:
                applied = self._apply(batch, identities, meanwhile)
            except BaseException:
                self.writer.forget()
                raise
            finally:
                self._moves = {}
        metrics.PROJECTION_APPLIED.labels(projection=self.projection.name).inc(applied)
        return applied

    def _apply(self, batch: list[Arrived], identities: dict[str, str], meanwhile: Callable[[], None] | None) -> int:
        moves = self._moves = self._moved(batch, identities)
        envelopes, passed_over = [item.envelope for item in batch], []
        if self.stopped:
            passed_over = [envelope for envelope in envelopes if self._is_stopped(envelope)]
            envelopes = [envelope for envelope in envelopes if not self._is_stopped(envelope)]
        unwritable: dict[str, BaseException] = {}
        parked: set[str] = set()
        while True:
            fold = self._fold(envelopes, unwritable)
            self._read_counters(fold)
            if not parked:  # all that is to be parked must fit before any of it is written
                self._refuse_overflow([*passed_over, *(e for r in fold.refusals for e in (r.envelope, *r.held))])
                self._hold_back(passed_over, batch)
            self._park([r for r in fold.refusals if r.envelope.aggregate not in parked], batch)
            parked |= {refusal.envelope.aggregate for refusal in fold.refusals}
            refused = {refusal.envelope.aggregate: self._marker(refusal) for refusal in fold.refusals}
            reached = dict(moves)
            self._name_stopped(reached, [self.stopped[e.aggregate] for e in passed_over] + list(refused.values()))
            try:
                undisturbed = not (fold.refusals or passed_over)
                self.writer.write(fold, partial(self._advance, reached), meanwhile if undisturbed else None)
                break
            except Unwritable as error:
                self.writer.forget()
                unwritable |= error.errors
        self.held.update(reached)
        self.stopped.update(refused)
        self.writer.trim()
        return fold.applied

    def _advance(self, reached: dict[Stream, Checkpoint]) -> None:
        """Behind the documents. May run in the writer's thread."""
        self.checkpoints.advance((self.held[stream], checkpoint) for stream, checkpoint in reached.items())
        self.same_store()

    def same_store(self) -> None:
        """Raises `Overtaken` when another process of the store answers than when the checkpoints were loaded."""
        found = checkpoints.store_incarnation(self._store)
        if found != self._incarnation:
            raise Overtaken(f"the store is another process than before ({found}, not {self._incarnation})")

    def _is_stopped(self, envelope: Envelope) -> bool:
        stopped = self.stopped.get(envelope.aggregate)
        return stopped is not None and (envelope.sequence or 0) >= stopped.first_sequence

    def _fold(self, envelopes: list[Envelope], unwritable: dict[str, BaseException]) -> Fold:
        """Folds all, failing events as often as the projection's policy says; aggregates that cannot be written not."""
        sound = [e for e in envelopes if e.aggregate not in unwritable] if unwritable else envelopes
        fold, attempts = self.writer.fold(sound), 1
        for pause in self.projection.retry.pauses():
            if not fold.refusals:
                break
            self._sleep(pause)
            fold, attempts = self.writer.fold(sound), attempts + 1
        fold.refusals = [replace(refusal, attempts=attempts) for refusal in fold.refusals]
        if unwritable:
            name = self.projection.name
            groups = group_by_aggregate(e for e in envelopes if e.aggregate in unwritable)
            fold.refusals += [Refusal.of(name, events, unwritable[events[0].aggregate]) for events in groups]
        return fold

    def _read_counters(self, fold: Fold) -> None:
        """A counter document that a store has lost looks like one that was never there: a fence set in it would pass
        what it had counted. So the store must still be the one of the checkpoints when it is read; one that does not
        tell is asked for the checkpoints themselves."""
        if fold.counted:
            self.writer.load_counters(fold)
            if self._incarnation:
                self.same_store()
            else:
                self.audit()

    def _park(self, refusals: list[Refusal], batch: list[Arrived]) -> None:
        """Markers and letters of what fails, and of what waits behind it."""
        if not refusals:
            return
        self.audit()  # an event may only seem wrong, because the store went back
        now = self.clock()
        self.stopped_aggregates.stop(refusals, now)
        self._mark_counted([event for refusal in refusals for event in (refusal.envelope, *refusal.held)])
        self._count_parked(self.letters.park(refusals, [], _offsets(batch), now))

    def _hold_back(self, passed_over: list[Envelope], batch: list[Arrived]) -> None:
        """The same for further events of stopped aggregates. Raises `Overtaken` where one goes on."""
        if not passed_over:
            return
        last = {events[0].aggregate: events[-1].sequence or 0 for events in group_by_aggregate(passed_over)}
        further = {name: to for name, to in last.items() if to > self.stopped[name].passed_to}
        self.stopped_aggregates.pass_over((self.stopped[name], to) for name, to in further.items())
        # From here on no other worker may let it go on before the checkpoint has come so far.
        self.stopped.update({name: replace(self.stopped[name], passed_to=to) for name, to in further.items()})
        self._mark_counted(passed_over)
        held_back = [(envelope, self.stopped[envelope.aggregate]) for envelope in passed_over]
        self._count_parked(self.letters.park([], held_back, _offsets(batch), self.clock()))

    def _mark_counted(self, events: list[Envelope]) -> None:
        if self.projection.counts:
            self.writer.mark_counted(self.letters.missing(events))

    def _count_parked(self, letters: int) -> None:
        metrics.PROJECTION_PARKED.labels(projection=self.projection.name).inc(letters)
        if self._letters_known is not None:
            self._letters_known += letters

    def _refuse_overflow(self, events: list[Envelope]) -> None:
        """Raises `QueueFull` naming, in each partition, the first event whose letter would be one too many.

        What a batch has passed over before may be parked again, room or not: no request moves an aggregate before the
        checkpoint has come so far, so there would never be any.
        """
        if not events or not self._near_a_limit(events):
            return
        room = self._limits.in_all - self.letters.count()
        parked: dict[str, int] = {}
        first: dict[Stream, int] = {}
        for event in sorted(self.letters.missing(events), key=lambda e: e.sequence or 0):
            name, stream = event.aggregate, (event.topic, event.partition)
            if name in self.stopped and (event.sequence or 0) <= self.stopped[name].passed_to:
                continue
            if name not in parked:
                parked[name] = self.letters.count(name)
            if room <= 0 or parked[name] >= self._limits.per_aggregate:
                first.setdefault(stream, event.sequence or 0)
            elif stream not in first:
                room, parked[name] = room - 1, parked[name] + 1
        if first:
            limits = f"{self._limits.per_aggregate} of an aggregate, {self._limits.in_all} in all"
            raise QueueFull(first, f"there are as many dead letters of {self.projection.name} as may be ({limits})")

    def _near_a_limit(self, events: list[Envelope]) -> bool:
        """Whether it takes a count to know that there is room; an upper bound does in most batches."""
        if self._letters_known is None:
            self._letters_known = self.letters.count()
        if self._letters_known + len(events) > self._limits.in_all * 0.9:
            return True
        for mine in group_by_aggregate(events):
            marker = self.stopped.get(mine[0].aggregate)
            at_most = marker.passed_to - marker.first_sequence + 1 if marker else 0
            if at_most + len(mine) > self._limits.per_aggregate:
                return True
        return False

    def park_records(self, records: list[tuple[Record, Undecodable]], identities: dict[str, str]) -> None:
        """Letters of records that are no event. Raises `QueueFull`."""
        if not records:
            return
        room = self._limits.in_all - self.letters.count()
        new = self.letters.park_undecodable(records, identities, room=room)
        if new < 0:
            streams = {(record.topic, record.partition): 0 for record, _ in records}
            raise QueueFull(streams, f"more than {self._limits.in_all} dead letters of {self.projection.name}")
        self._count_parked(new)

    def _moved(self, batch: list[Arrived], identities: dict[str, str]) -> dict[Stream, Checkpoint]:
        """To the last event of each partition, and to the last that Kafka had: what was read from the log has no
        offset, so Kafka is known as far as before."""
        last: dict[Stream, Envelope] = {}
        offsets: dict[Stream, int] = {}
        for item in batch:
            stream = (item.envelope.topic, item.envelope.partition)
            last[stream] = item.envelope
            if item.offset >= 0:
                offsets[stream] = item.offset
        moves = {}
        for stream, envelope in last.items():
            held = self.held[stream]
            offset, identity = held.offset, held.topic_identity
            if stream in offsets:
                offset, identity = offsets[stream], identities.get(stream[0], "")
            moves[stream] = held.after(envelope, offset=offset, topic_identity=identity)
        return moves

    def _name_stopped(self, moves: dict[Stream, Checkpoint], markers: list[Stopped]) -> None:
        """Adds to the checkpoints whose events they pass over."""
        added: dict[Stream, dict[str, int]] = {}
        for marker in markers:
            if moves[marker.stream].stopped.get(marker.aggregate) != marker.first_sequence:
                added.setdefault(marker.stream, {})[marker.aggregate] = marker.first_sequence
        for stream, names in added.items():
            moves[stream] = replace(moves[stream], stopped={**moves[stream].stopped, **names})

    def _marker(self, refusal: Refusal) -> Stopped:
        """What the store has of a refusal that was parked."""
        envelope = refusal.envelope
        known = self.stopped.get(envelope.aggregate)
        return Stopped(
            aggregate=envelope.aggregate,
            topic=envelope.topic,
            partition=envelope.partition,
            first_version=envelope.aggregate_version,
            first_sequence=envelope.sequence or 0,
            passed_to=max(refusal.passed_to, known.passed_to if known else 0),
            error=refusal.error,
            fingerprint=refusal.fingerprint,
        )


def _offsets(batch: list[Arrived]) -> Offsets:
    """(topic, partition, sequence) → offset; -1 for what was read from the log."""
    return {(e.topic, e.partition, e.sequence or 0): item.offset for item in batch for e in (item.envelope,)}
