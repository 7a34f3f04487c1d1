"""One bulk write of a fold: its operations, the documents that they make, and whose fault it is when the store refuses.

A value that cannot be written at all is an event's failure like any other: it names the aggregates at fault.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NoReturn

import bson
from bson.errors import BSONError
from pymongo import InsertOne, ReplaceOne
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError, DocumentTooLarge, OperationFailure

from acme.contracts.envelope import Envelope
from projections.runtime.checkpoints import Stream
from projections.runtime.documents import DocumentCache, Overtaken, write_guarded
from projections.runtime.fold import SectionState
from projections.runtime.intake import StreamBlocked
from projections.runtime.projection import Count, Projection
from projections.runtime.writes import CounterState, section_filter, section_update

Document = dict[str, Any]
Counted = list[tuple[Envelope, Count]]
#: What the driver says of a value that BSON cannot hold.
UNENCODABLE = (BSONError, DocumentTooLarge, OverflowError, UnicodeEncodeError)
#: What a server says of data, not of itself: BadValue, FailedToParse, TypeMismatch, PathNotViable, invalid field
#: names, and documents beyond 16 MB (MongoDB, src/mongo/base/error_codes.yml).
DATA_ERRORS = {2, 9, 14, 28, 52, 55, 56, 57, 10334, 17280, 17419}
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


class Bulk:
    """Changed sections and counters of one batch. ``changed``: the documents with their new sections, by id."""

    def __init__(
        self,
        projection: Projection,
        documents: DocumentCache,
        states: Iterable[SectionState],
        counters: list[CounterState],
        counted: Counted,
    ) -> None:
        """``counted``: all that the counters come from."""
        self._projection, self._documents = projection, documents
        self._counters, self._counted = counters, counted
        self._sections: dict[str, list[SectionState]] = {}
        for state in states:
            self._sections.setdefault(state.document, []).append(state)
        self.changed: dict[str, Document] = {}
        of = self._of_owner if projection.has_one_owner else self._of
        self._operations = [of(mine) for mine in self._sections.values()]
        self._operations.extend(counter.update() for counter in counters)

    def _of_owner(self, states: list[SectionState]) -> Any:
        """The whole document, which costs a store less than an upsert or an update."""
        (state,) = states
        document = self.changed[state.document] = {"_id": state.document}
        _set_path(document, state.path, state.value)
        if state.stored is None and self._documents.get(state.document) is None:
            return InsertOne(document)
        return ReplaceOne(section_filter([state]), document)

    def _of(self, states: list[SectionState]) -> Any:
        key = states[0].document
        known = self._documents.get(key)
        document = self.changed[key] = {"_id": key} if known is None else known
        for state in states:
            _set_path(document, state.path, state.value)
        return section_update(states, self._projection.computed, seen=known is not None)

    def carry_out(self, collection: Collection[Document]) -> None:
        """Raises `Overtaken`, `Unwritable`, `CounterUnwritable` and engine failures."""
        try:
            write_guarded(collection, self._operations)
        except UNENCODABLE as error:
            culprits = _unencodable(self._sections.values()) | _uncountable(self._counted)
            if culprits:
                raise Unwritable(culprits) from None
            raise self._unwritable_counters(f"{type(error).__name__}: {error}") from error
        except BulkWriteError as error:
            self._raise_for_data(error)
            raise
        except OperationFailure as error:
            if error.code not in DATA_ERRORS:
                raise
            self._raise_for_one(collection, error)

    def _raise_for_data(self, error: BulkWriteError) -> None:
        """Raises when the store refused documents for what they would be; returns when the fault is its own."""
        refused = [item for item in error.details.get("writeErrors", []) if item.get("code") in DATA_ERRORS]
        if not refused:
            return
        sections = list(self._sections.values())
        culprits: dict[str, BaseException] = {}
        for item in refused:
            place, why = int(item["index"]), str(item.get("errmsg"))
            if place >= len(sections):
                raise self._unwritable_counters(why, self._counters[place - len(sections)].document) from error
            for state in sections[place]:
                culprits[state.aggregate] = ValueError(f"MongoDB refused the document {state.document}: {why}")
        raise Unwritable(culprits) from error

    def _raise_for_one(self, collection: Collection[Document], error: OperationFailure) -> NoReturn:
        """A server may refuse a whole command for one of its documents: each is written alone to find which."""
        culprits: dict[str, BaseException] = {}
        for operation, states in zip(self._operations, self._sections.values(), strict=False):
            try:
                write_guarded(collection, [operation])
            except Overtaken:
                continue  # it was in the part of the command that was carried out
            except OperationFailure as failure:
                culprits |= {state.aggregate: ValueError(f"MongoDB refused it: {failure}") for state in states}
        if culprits:
            raise Unwritable(culprits) from error
        raise self._unwritable_counters(str(error)) from error

    def _unwritable_counters(self, why: str, document: str = "") -> CounterUnwritable:
        """For one document, or for all that are counted where it is not known which."""
        streams = {(e.topic, e.partition) for e, count in self._counted if document in {"", count.document}}
        return CounterUnwritable(streams, f"counter document {document or '(one of several)'} cannot be written: {why}")


def is_of_data(error: OperationFailure) -> bool:
    """Whether the server says no to what would be written, not to the writing."""
    codes = {item.get("code") for item in (error.details or {}).get("writeErrors", [])} or {error.code}
    return bool(codes & DATA_ERRORS)


def _unencodable(sections: Iterable[list[SectionState]]) -> dict[str, BaseException]:
    """Aggregates whose sections BSON cannot hold, each with the reason."""
    culprits: dict[str, BaseException] = {}
    for states in sections:
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
