"""The documents of one generation under a fold: what is read for it, and guarded writes of what it came to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import Any

from pymongo.errors import OperationFailure

from acme.contracts.envelope import Envelope, Unseal
from projections.runtime.bulk import UNENCODABLE, Bulk, Counted, CounterUnwritable, is_of_data
from projections.runtime.documents import DocumentCache, Overtaken, write_guarded
from projections.runtime.fold import (
    Fold,
    Groups,
    SectionState,
    documents_of,
    fold_batch,
    fold_discarded,
    group_by_aggregate,
)
from projections.runtime.projection import Projection
from projections.runtime.writes import CounterState, fence_name, late_name

Document = dict[str, Any]
WRITER_THREADS = "acme-writer"
#: Workers of other partitions may count late events in the same document, each a few times a second.
LATE_TRIES = 10


class Writer:
    """Folds events into the documents of one generation and writes what has changed."""

    def __init__(self, projection: Projection, collection: Any, unseal: Unseal) -> None:
        self.projection, self.collection = projection, collection
        self._documents = DocumentCache(collection)
        self._unseal = unseal
        self._furthest: dict[str, int] = {}
        self._next: tuple[list[Envelope], Fold] | None = None  # what was folded ahead
        # Starts no thread before it is used.
        self._helper: Executor = ThreadPoolExecutor(1, thread_name_prefix=WRITER_THREADS)

    def forget(self) -> None:
        """Everything is read anew from the store."""
        self._documents.clear()
        self._furthest.clear()
        self._next = None

    def trim(self) -> None:
        self._documents.trim()

    def fold(self, envelopes: list[Envelope]) -> Fold:
        ahead, self._next = self._next, None
        self._documents.begin()  # what was read ahead counts as kept: the batch before was still to be written then
        if ahead is not None and ahead[0] == envelopes and not ahead[1].refusals:
            return ahead[1]
        return self._folded(envelopes)

    def fold_ahead(self, envelopes: list[Envelope]) -> None:
        """Folds what is likely to be asked for next, while another batch is written."""
        self._next = envelopes, self._folded(envelopes)

    def _folded(self, envelopes: list[Envelope]) -> Fold:
        return fold_batch(self.projection, self._loaded(envelopes), self._section, self._unseal)

    def fold_discarded(self, envelopes: list[Envelope]) -> Fold:
        self._next = None
        self._documents.begin()
        return fold_discarded(self.projection, self._loaded(envelopes), self._section)

    def fold_anew(self, envelopes: list[Envelope]) -> Fold:
        """One aggregate's events from its first on, into sections that replace what the documents have."""
        self._next = None
        self._documents.clear()
        fold = fold_batch(self.projection, self._loaded(envelopes), lambda key, path: {}, self._unseal)
        for state in fold.sections.values():
            state.stored = self._section(state.document, state.path).get("version")
        return fold

    def _loaded(self, envelopes: list[Envelope]) -> Groups:
        """Aggregate by aggregate, with the documents of their sections known."""
        groups = group_by_aggregate(envelopes)
        self._documents.load(documents_of(self.projection, groups))
        return groups

    def load_counters(self, fold: Fold) -> None:
        """Reads the counter documents that `write` will change."""
        self._documents.load({count.document for _, count in fold.counted})

    def write(
        self, fold: Fold, then: Callable[[], None] = lambda: None, meanwhile: Callable[[], None] | None = None
    ) -> None:
        """Sections and counts, ``then`` what belongs behind them. Raises `Overtaken`, `Unwritable`, `CounterUnwritable`
        and engine failures; call `forget` then.

        ``meanwhile`` is done while the store writes; `fold_ahead` finds the documents as they are being written.
        """
        self.load_counters(fold)
        counted = self._count(fold.counted)
        self._look_again([*(s for s in fold.sections.values() if s.passed), *(c for c in counted if c.has_passed)])
        counters = [counter for counter in counted if counter.fences]
        changed = [state for state in fold.sections.values() if state.changed]
        bulk = Bulk(self.projection, self._documents, changed, counters, fold.counted)

        def finish() -> None:
            bulk.carry_out(self.collection)
            then()

        if meanwhile is None:
            finish()
            self._keep(bulk, counters)
            return
        writing = self._helper.submit(finish)
        try:
            self._keep(bulk, counters)
            meanwhile()
        finally:
            try:
                writing.result()  # whatever comes next, it has ended; and its error comes first
            finally:
                del writing  # it has the error, whose frames have it: sections would live until the collector looks

    def write_late(self, fold: Fold, *, replaced: bool = False) -> None:
        """The same for events at or below the checkpoint: counters remember each in ``late`` instead of by a fence.

        ``replaced``: sections are written even where their version is the stored one.
        """
        states = [s for s in fold.sections.values() if s.changed or replaced]
        self._look_again([s for s in fold.sections.values() if s.passed and not replaced])
        bulk = Bulk(self.projection, self._documents, states, [], fold.counted)
        bulk.carry_out(self.collection)
        self._keep(bulk)
        self._count_late(fold.counted)

    def _look_again(self, passed: Iterable[SectionState | CounterState]) -> None:
        """Raises `Overtaken` where the store has lost what events are passed over for.

        Documents that were read for this batch are believed; those kept from an earlier one are read again. Writes need
        none of it: their filters name what was read.
        """
        states = [state for state in passed if self._documents.is_kept(state.document)]
        keys = {state.document for state in states}
        self._documents.drop(keys)
        self._documents.load(keys)
        for state in states:
            if not state.has_still(self._documents.get(state.document)):
                raise Overtaken(f"{self.collection.name}: {state.document} has lost what was in it")

    def _section(self, key: str, path: str) -> Document:
        """A fresh copy of a section; of the root section only what is stored, without the id."""
        found: Any = self._documents.get(key) or {}
        for part in path.split(".") if path else ():
            found = found.get(part) or {}
        return {name: value for name, value in found.items() if name != "_id"}

    def _keep(self, bulk: Bulk, counters: Iterable[CounterState] = ()) -> None:
        """Documents as they are with what was written, for the next batch."""
        for counter in counters:
            known = bulk.changed.get(counter.document) or self._documents.get(counter.document)
            bulk.changed[counter.document] = counter.kept(known)
        for key, document in bulk.changed.items():
            self._documents.put(key, document)

    def mark_counted(self, envelopes: list[Envelope]) -> None:
        """Notes these events, which are about to be parked, as counted in documents that are ahead of the checkpoint.

        A batch that was killed before its checkpoint may have counted what other code, or chance, refuses when it comes
        again. Letters are written before documents: where a fence is past an event without letter, the document has it.
        """
        if not self.projection.counts:
            return
        for envelope in envelopes:
            fence, sequence = fence_name(envelope.topic, envelope.partition), envelope.sequence or 0
            if sequence > self._ahead(fence):
                continue
            passed = {f"fences.{fence}": {"$gte": sequence}}
            change = {"$addToSet": {"late": late_name(envelope)}, "$inc": {"late_revision": 1}}
            self.collection.update_many(passed, change)

    def _ahead(self, fence: str) -> int:
        """The highest fence of a partition in any document, as it was at the first question after a reload."""
        if fence not in self._furthest:
            found = list(self.collection.aggregate([{"$group": {"_id": None, "to": {"$max": f"$fences.{fence}"}}}]))
            self._furthest[fence] = int((found[0]["to"] if found else 0) or 0)
        return self._furthest[fence]

    def _count(self, counted: Counted) -> list[CounterState]:
        """The counter documents of these events, against the fences the store has."""
        states: dict[str, CounterState] = {}
        for envelope, count in counted:
            if count.document not in states:
                states[count.document] = self._counter(count.document)
            states[count.document].count(envelope, count)
        return list(states.values())

    def _count_late(self, counted: Counted) -> None:
        """One update a document. Where it does not match, a try before this one or another worker was faster: again."""
        waiting: dict[str, Counted] = {}
        for envelope, count in counted:
            waiting.setdefault(count.document, []).append((envelope, count))
        for _ in range(LATE_TRIES):
            self._documents.drop(waiting)
            self._documents.load(waiting)
            operations = [operation for operation in map(self._late, waiting.values()) if operation]
            try:
                write_guarded(self.collection, operations)
            except Overtaken:
                continue
            except (*UNENCODABLE, OperationFailure) as error:
                if isinstance(error, OperationFailure) and not is_of_data(error):
                    raise
                streams = {(envelope.topic, envelope.partition) for envelope, _ in counted}
                raise CounterUnwritable(streams, f"late events cannot be counted: {error}") from error
            self._documents.drop(waiting)
            return
        raise Overtaken(f"{self.collection.name}: counters change all the time while late events are counted")

    def _late(self, counted: Counted) -> Any:
        """The update of one counter document by all of its events that it does not have; None when it has all."""
        counter = self._counter(counted[0][1].document)
        new = [(late_name(envelope), count) for envelope, count in counted if late_name(envelope) not in counter.late]
        for _, count in new:
            counter.take(count)
        return counter.late_update(sorted({name for name, _ in new})) if new else None

    def _counter(self, key: str) -> CounterState:
        known = self._documents.get(key)
        return CounterState(
            document=key,
            seen=known is not None,
            stored=(known or {}).get("fences", {}),
            late=frozenset((known or {}).get("late", ())),
            late_revision=(known or {}).get("late_revision"),
        )
