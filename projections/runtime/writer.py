"""The documents of one generation under a fold: what is read for it, and guarded writes of what it came to.

A value that cannot be written at all is an event's failure like any other: it names the aggregates at fault.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

import bson
from bson.errors import BSONError
from pymongo import InsertOne
from pymongo.errors import BulkWriteError, DocumentTooLarge, OperationFailure

from acme.contracts.envelope import Envelope, Unseal
from projections.runtime.checkpoints import Stream
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
from projections.runtime.intake import StreamBlocked
from projections.runtime.projection import Count, Projection
from projections.runtime.writes import CounterState, fence_name, late_name, section_update

Document = dict[str, Any]
Counted = list[tuple[Envelope, Count]]
#: What the driver says of a value that BSON cannot hold.
UNENCODABLE = (BSONError, DocumentTooLarge, OverflowError, UnicodeEncodeError)
#: What a server says of data, not of itself: BadValue, FailedToParse, TypeMismatch, PathNotViable, invalid field
#: names, and documents beyond 16 MB (MongoDB, src/mongo/base/error_codes.yml).
DATA_ERRORS = {2, 9, 14, 28, 52, 55, 56, 57, 10334, 17280, 17419}
#: Workers of other partitions may count late events in the same document, each a few times a second.
LATE_TRIES = 10
MAX_DOCUMENT = 16 * 1024 * 1024  # bytes


class Unwritable(Exception):
    """Sections that the store cannot hold: aggregate → the error. Nothing of them was written."""

    def __init__(self, errors: dict[str, BaseException]) -> None:
        super().__init__(f"{len(errors)} aggregates cannot be written: {next(iter(errors.values()))}")
        self.errors = errors


class CounterUnwritable(StreamBlocked):
    """The store refuses a counter document for its content: no event of it may be passed over, so all wait."""

    kind = "unwritable"

    def __init__(self, streams: set[Stream], why: str) -> None:
        super().__init__(why)
        self.streams = streams


class Writer:
    """Folds events into the documents of one generation and writes what has changed."""

    def __init__(self, projection: Projection, collection: Any, unseal: Unseal) -> None:
        self.projection, self.collection = projection, collection
        self._documents = DocumentCache(collection)
        self._unseal = unseal
        self._furthest: dict[str, int] = {}

    def forget(self) -> None:
        """Everything is read anew from the store."""
        self._documents.clear()
        self._furthest.clear()

    def trim(self) -> None:
        self._documents.trim()

    def fold(self, envelopes: list[Envelope]) -> Fold:
        self._documents.begin()
        return fold_batch(self.projection, self._loaded(envelopes), self._section, self._unseal)

    def fold_discarded(self, envelopes: list[Envelope]) -> Fold:
        self._documents.begin()
        return fold_discarded(self.projection, self._loaded(envelopes), self._section)

    def fold_anew(self, envelopes: list[Envelope]) -> Fold:
        """One aggregate's events from its first on, into sections that replace what the documents have."""
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

    def write(self, fold: Fold) -> None:
        """Sections and counts. Raises `Overtaken`, `Unwritable`, `CounterUnwritable` and engine failures."""
        self.load_counters(fold)
        counted = self._count(fold.counted)
        self._look_again([*(s for s in fold.sections.values() if s.passed), *(c for c in counted if c.has_passed)])
        counters = [counter for counter in counted if counter.fences]
        changed = self._write(fold, [s for s in fold.sections.values() if s.changed], counters)
        for counter in counters:
            known = changed.get(counter.document) or self._documents.get(counter.document)
            changed[counter.document] = counter.kept(known)
        for key, document in changed.items():
            self._documents.put(key, document)

    def write_late(self, fold: Fold, *, replaced: bool = False) -> None:
        """The same for events at or below the checkpoint: counters remember each in ``late`` instead of by a fence.

        ``replaced``: sections are written even where their version is the stored one.
        """
        states = [s for s in fold.sections.values() if s.changed or replaced]
        self._look_again([s for s in fold.sections.values() if s.passed and not replaced])
        for key, document in self._write(fold, states, []).items():
            self._documents.put(key, document)
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

    def _write(self, fold: Fold, states: list[SectionState], counters: list[CounterState]) -> dict[str, Document]:
        """One bulk write; answers the documents with their new sections."""
        changed: dict[str, Document] = {}
        by_document: dict[str, list[SectionState]] = {}
        for state in states:
            by_document.setdefault(state.document, []).append(state)
        operations: list[Any] = []
        for key, mine in by_document.items():
            known = self._documents.get(key)
            document = changed[key] = {"_id": key} if known is None else known
            for state in mine:
                _set_path(document, state.path, state.value)
            if known is None and self.projection.has_one_owner:  # a third of what an upsert costs the store
                operations.append(InsertOne(document))
            else:
                operations.append(section_update(mine, self.projection.computed, seen=known is not None))
        operations.extend(counter.update() for counter in counters)
        try:
            write_guarded(self.collection, operations)
        except UNENCODABLE as error:
            culprits = _unencodable(by_document) | _uncountable(fold.counted)
            if culprits:
                raise Unwritable(culprits) from None
            raise self._unwritable_counters(fold, f"{type(error).__name__}: {error}") from error
        except BulkWriteError as error:
            self._raise_for_data(error, list(by_document.values()), counters, fold)
            raise
        except OperationFailure as error:
            if error.code not in DATA_ERRORS:
                raise
            self._raise_for_one(operations, list(by_document.values()), fold, error)
        return changed

    def _raise_for_data(
        self, error: BulkWriteError, sections: list[list[SectionState]], counters: list[CounterState], fold: Fold
    ) -> None:
        """Raises when the store refused documents for what they would be; returns when the fault is its own."""
        refused = [item for item in error.details.get("writeErrors", []) if item.get("code") in DATA_ERRORS]
        if not refused:
            return
        culprits: dict[str, BaseException] = {}
        for item in refused:
            place, why = int(item["index"]), str(item.get("errmsg"))
            if place >= len(sections):
                document = counters[place - len(sections)].document
                raise self._unwritable_counters(fold, why, document) from error
            for state in sections[place]:
                culprits[state.aggregate] = ValueError(f"MongoDB refused the document {state.document}: {why}")
        raise Unwritable(culprits) from error

    def _raise_for_one(
        self, operations: list[Any], sections: list[list[SectionState]], fold: Fold, error: OperationFailure
    ) -> NoReturn:
        """A server may refuse a whole command for one of its documents: each is written alone to find which."""
        culprits: dict[str, BaseException] = {}
        for operation, states in zip(operations, sections, strict=False):
            try:
                write_guarded(self.collection, [operation])
            except Overtaken:
                continue  # it was in the part of the command that was carried out
            except OperationFailure as failure:
                culprits |= {state.aggregate: ValueError(f"MongoDB refused it: {failure}") for state in states}
        if culprits:
            raise Unwritable(culprits) from error
        raise self._unwritable_counters(fold, str(error)) from error

    def _unwritable_counters(self, fold: Fold, why: str, document: str = "") -> CounterUnwritable:
        """For one document, or for all that are counted where it is not known which."""
        streams = {(e.topic, e.partition) for e, count in fold.counted if document in {"", count.document}}
        return CounterUnwritable(streams, f"counter document {document or '(one of several)'} cannot be written: {why}")

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
                if isinstance(error, OperationFailure) and not _of_data(error):
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


def _unencodable(by_document: dict[str, list[SectionState]]) -> dict[str, BaseException]:
    """Aggregates whose sections BSON cannot hold, each with the reason."""
    culprits: dict[str, BaseException] = {}
    for states in by_document.values():
        for state in states:
            try:
                encoded = bson.encode({"section": state.value})
                if len(encoded) > MAX_DOCUMENT:
                    raise DocumentTooLarge(f"{len(encoded)} bytes")
            except UNENCODABLE as error:
                culprits[state.aggregate] = error.with_traceback(None)  # whose frames hold sections, and this dict
    return culprits


def _uncountable(counted: Counted) -> dict[str, BaseException]:
    """Aggregates whose counts BSON cannot hold."""
    culprits: dict[str, BaseException] = {}
    for envelope, count in counted:
        try:
            bson.encode({"counts": [dict(count.add), dict(count.lowest), dict(count.highest), dict(count.static)]})
        except UNENCODABLE as error:
            culprits[envelope.aggregate] = error.with_traceback(None)
    return culprits


def _of_data(error: OperationFailure) -> bool:
    """Whether the server says no to what would be written, not to the writing."""
    codes = {item.get("code") for item in (error.details or {}).get("writeErrors", [])} or {error.code}
    return bool(codes & DATA_ERRORS)


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
