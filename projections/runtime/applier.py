"""Applying a batch to one generation: markers first, then documents, then checkpoints, each guarded.

A kill between any two writes is harmless: what is written again finds its version or fence there already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from pymongo.database import Database

from acme.contracts.envelope import Envelope, Unseal
from projections.runtime import checkpoints
from projections.runtime.checkpoints import Checkpoint, Checkpoints, Stream
from projections.runtime.documents import DocumentCache, Overtaken, write_guarded
from projections.runtime.fold import Fold, documents_of, fold_batch, group_by_aggregate
from projections.runtime.intake import Arrived
from projections.runtime.projection import Count, Projection
from projections.runtime.stopped import Stopped, StoppedAggregates
from projections.runtime.writes import CounterState, section_updates
from queries.documents.connection import collection_name

Document = dict[str, Any]


class Applier:
    """One generation of one projection, for the partitions in ``held``. Not thread-safe: one worker, one applier."""

    def __init__(
        self,
        projection: Projection,
        generation: int,
        store: Database[Document],
        unseal: Unseal,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.projection, self.generation = projection, generation
        self._store, self._incarnation = store, ""
        self.collection = store[collection_name(projection.name, generation)]
        self.checkpoints = Checkpoints(store, projection.name, generation)
        self.stopped_aggregates = StoppedAggregates(store, projection.name, generation)
        self.held: dict[Stream, Checkpoint] = {}
        self.stopped: dict[str, Stopped] = {}
        self._documents = DocumentCache(self.collection)
        self._unseal, self._clock = unseal, clock

    def reload(self, streams: Iterable[Stream]) -> None:
        """Takes over these partitions (and no others) as the store has them; forgets every document.

        A marker that passes over more than the checkpoint is left by a batch that did not get so far. Its documents
        may have, and their fences are past those events then: they are passed over once more, and retried afterwards.
        A marker that no checkpoint names is left by a worker that had lost its partition: the events are in.
        """
        wanted = list(streams)
        self._documents.clear()
        self._incarnation = checkpoints.store_incarnation(self._store)
        self.held = self.checkpoints.take_over(wanted, self._incarnation)
        self.stopped = {}
        for marker in self.stopped_aggregates.load(wanted).values():
            held = self.held[marker.topic, marker.partition]
            if marker.passed_to > held.sequence or marker.aggregate in held.stopped:
                self.stopped[marker.aggregate] = marker
            else:
                self.stopped_aggregates.forget(marker)

    def audit(self) -> None:
        """Raises `Overtaken` when the store's checkpoints are not the held ones: it lost its tail, or a rival wrote."""
        self._same_store()
        for stream, stored in self.checkpoints.load(self.held).items():
            if not stored.same_as(self.held[stream]):
                raise Overtaken(
                    f"{stream[0]}[{stream[1]}]: {self.held[stream].sequence} held, {stored.sequence} stored"
                )

    def apply(self, batch: list[Arrived], identities: dict[str, str]) -> int:
        """Applies contiguous events of held partitions; answers how many were not refused or passed over.

        Raises `Overtaken` (reload and go on) or an engine's failure (wait, reload and go on); ``held`` stays then.
        """
        passed_over = [item.envelope for item in batch if self._is_stopped(item.envelope)]
        envelopes = [item.envelope for item in batch if not self._is_stopped(item.envelope)]
        try:
            fold = self._fold(envelopes)
            if fold.refusals:
                self.audit()  # an event may only seem wrong, because the store went back
            self.stopped_aggregates.stop(fold.refusals, self._clock())
            further = self._passed_to(passed_over)
            self.stopped_aggregates.pass_over((self.stopped[name], to) for name, to in further.items())
            self._write(fold)
            moves = self._moves(batch, identities)
            self._name_stopped(moves, [*passed_over, *(refusal.envelope for refusal in fold.refusals)])
            self.checkpoints.advance((self.held[stream], reached) for stream, reached in moves.items())
            self._same_store()
        except BaseException:
            self._documents.clear()
            raise
        self.held.update(moves)
        self.stopped.update({name: replace(self.stopped[name], passed_to=to) for name, to in further.items()})
        self._remember_refusals(fold)
        self._documents.trim()
        return fold.applied

    def may_retry(self) -> list[Stopped]:
        """The stopped aggregates whose events the checkpoints have passed as far as any document has."""
        return [s for s in self.stopped.values() if s.passed_to <= self.held[s.topic, s.partition].sequence]

    def retry(self, stopped: Stopped, events: Iterable[Envelope]) -> bool:
        """Applies a stopped aggregate's events up to the checkpoint, one by one; True when all of them went in.

        They lie below the fences, so counters remember each one in ``late`` instead. The aggregate goes on by a
        compare-and-set of checkpoint and marker: whoever has passed over more of its events makes it `Overtaken`.
        """
        held = self.held[stopped.topic, stopped.partition]
        for envelope in events:
            if (envelope.sequence or 0) > held.sequence:
                break
            fold = self._fold([envelope])
            if fold.refusals:
                self.audit()
                self.stopped_aggregates.stop(fold.refusals, self._clock())
                self._remember_refusals(fold)
                return False
            self._write(fold, late=True)
        goes_on = replace(held, stopped=held.stopped - {stopped.aggregate})
        self.checkpoints.advance([(held, goes_on)])
        self._same_store()
        self.held[held.stream] = goes_on
        if not self.stopped_aggregates.forget(stopped):
            raise Overtaken(f"{stopped.aggregate} was passed over again while it was retried")
        del self.stopped[stopped.aggregate]
        return True

    def _same_store(self) -> None:
        """Raises `Overtaken` when another process of the store answers than when the checkpoints were loaded."""
        found = checkpoints.store_incarnation(self._store)
        if found != self._incarnation:
            raise Overtaken(f"the store is another process than before ({found}, not {self._incarnation})")

    def _is_stopped(self, envelope: Envelope) -> bool:
        stopped = self.stopped.get(envelope.aggregate)
        return stopped is not None and envelope.aggregate_version >= stopped.first_version

    def _fold(self, envelopes: list[Envelope]) -> Fold:
        self._documents.load(documents_of(self.projection, envelopes))
        return fold_batch(self.projection, group_by_aggregate(envelopes), self._section, self._unseal)

    def _section(self, key: str, path: str) -> Document:
        """A fresh copy of a section; of the root section only what is stored, without the id."""
        found: Any = self._documents.get(key) or {}
        for part in path.split(".") if path else ():
            found = found.get(part) or {}
        return {name: value for name, value in found.items() if name != "_id"}

    def _write(self, fold: Fold, *, late: bool = False) -> None:
        operations: list[Any] = []
        changed: dict[str, Document] = {}
        by_document: dict[str, list[Any]] = {}
        for state in fold.sections.values():
            if state.changed:
                by_document.setdefault(state.document, []).append(state)
        for key, states in by_document.items():
            known = self._documents.get(key)
            operations.append(section_updates(states, self.projection.computed, seen=known is not None))
            changed[key] = known or {"_id": key}
            for state in states:
                _set_path(changed[key], state.path, state.value)
        if late:
            self._count_late(fold.counted)
        else:
            counters = self._count(fold.counted)
            operations.extend(counter.update() for counter in counters)
            for counter in counters:
                known = changed.get(counter.document) or self._documents.get(counter.document)
                changed[counter.document] = counter.kept(known)
        write_guarded(self.collection, operations)
        for key, document in changed.items():
            self._documents.put(key, document)

    def _count(self, counted: list[tuple[Envelope, Count]]) -> list[CounterState]:
        """The counter documents that get something new, against the fences the store has."""
        self._documents.load({count.document for _, count in counted})
        states: dict[str, CounterState] = {}
        for envelope, count in counted:
            if count.document not in states:
                states[count.document] = self._counter(count.document)
            states[count.document].count(envelope, count)
        return [state for state in states.values() if state.fences]

    def _count_late(self, counted: list[tuple[Envelope, Count]]) -> None:
        for envelope, count in counted:
            counter = self._counter(count.document)
            counter.take(count)
            # No match means that a try before this one has counted it; an insert can only be the first.
            self.collection.bulk_write([counter.late_update(envelope)])
            self._documents.drop([count.document])

    def _counter(self, key: str) -> CounterState:
        known = self._documents.get(key)
        return CounterState(
            document=key,
            seen=known is not None,
            stored=(known or {}).get("fences", {}),
            late=frozenset((known or {}).get("late", ())),
        )

    def _passed_to(self, passed_over: list[Envelope]) -> dict[str, int]:
        """Aggregate → sequence of its last event of these, where its marker does not say so much yet."""
        last = {envelope.aggregate: envelope.sequence or 0 for envelope in passed_over}
        return {aggregate: to for aggregate, to in last.items() if to > self.stopped[aggregate].passed_to}

    def _moves(self, batch: list[Arrived], identities: dict[str, str]) -> dict[Stream, Checkpoint]:
        moves: dict[Stream, Checkpoint] = {}
        for item in batch:
            stream = (item.envelope.topic, item.envelope.partition)
            held = moves.get(stream) or self.held[stream]
            if item.offset < 0:  # read from the log: Kafka is known as far as before
                offset, identity = held.offset, held.topic_identity
            else:
                offset, identity = item.offset, identities.get(stream[0], "")
            moves[stream] = held.after(item.envelope, offset=offset, topic_identity=identity)
        return moves

    def _name_stopped(self, moves: dict[Stream, Checkpoint], passed_over: list[Envelope]) -> None:
        """Adds to the checkpoints whose events they pass over."""
        for envelope in passed_over:
            reached = moves[envelope.topic, envelope.partition]
            if envelope.aggregate not in reached.stopped:
                moves[reached.stream] = replace(reached, stopped=reached.stopped | {envelope.aggregate})

    def _remember_refusals(self, fold: Fold) -> None:
        for refusal in fold.refusals:
            envelope = refusal.envelope
            known = self.stopped.get(envelope.aggregate)
            self.stopped[envelope.aggregate] = Stopped(
                aggregate=envelope.aggregate,
                topic=envelope.topic,
                partition=envelope.partition,
                first_version=envelope.aggregate_version,
                first_sequence=envelope.sequence or 0,
                passed_to=max(refusal.passed_to, known.passed_to if known else 0),
                error=refusal.error,
            )


def _set_path(document: Document, path: str, value: Document) -> None:
    """Sets a section into a document in memory as the store's ``$set`` does."""
    if not path:
        document.update(value)
        return
    *parents, last = path.split(".")
    place = document
    for part in parents:
        place = place.setdefault(part, {})
    place[last] = value
