"""Pages by key: a cursor names the last document seen, not a count, so a change in between skips and repeats nothing.

A cursor is opaque to clients: base64url of a msgpack array [digest of the question, backwards?, sort key, id]. It
belongs to its question (address, filters, sort): with another one it is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

import msgspec
from pymongo.collection import Collection

from queries.reading import FIND_MS, Stored

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_INT64 = 2**63
T = TypeVar("T")


class CursorInvalid(ValueError):
    """The cursor was not made by this listing."""


class _Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    question: bytes
    backwards: bool
    key: int | str
    id: str


@dataclass(frozen=True, kw_only=True)
class Order(Generic[T]):
    """A sort by one field, ties by `_id` in the same direction. Every listed document has the field, of this kind."""

    field: str
    kind: type[T]
    descending: bool = False

    def key_of(self, document: Stored) -> int | str:
        value: Any = document
        for part in self.field.split("."):
            value = value[part]
        return (value - _EPOCH) // _MILLISECOND if isinstance(value, datetime) else value

    def value_of(self, key: int | str) -> Any:
        """Raises `CursorInvalid` when the key is not of the kind."""
        if isinstance(key, str) != (self.kind is str):
            raise CursorInvalid("the sort key has another type")
        if isinstance(key, str):
            return key
        if not -_INT64 <= key < _INT64:
            raise CursorInvalid("the sort key is out of range")
        try:
            return _EPOCH + key * _MILLISECOND if self.kind is datetime else key
        except OverflowError as error:
            raise CursorInvalid("the time is out of range") from error


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A question with many answers, in an order."""

    collection: Collection[Stored]
    query: Mapping[str, Any]
    order: Order[Any]
    fields: Mapping[str, int] | None = None

    def page(self, cursor: str | None, limit: int, question: str) -> Page:
        """The first page, or the one at a cursor of the same question. Raises `CursorInvalid`."""
        digest = hashlib.blake2b(question.encode(), digest_size=8).digest()
        at = _decode(cursor, digest) if cursor else None
        backwards = at is not None and at.backwards
        descending = self.order.descending != backwards
        found = self._beyond(at, descending, limit + 1) if at else self._find(self.query, descending, limit + 1)
        more = len(found) > limit
        documents = found[:limit][::-1] if backwards else found[:limit]
        has_next, has_previous = (True, more) if backwards else (more, at is not None)
        if not documents:
            return Page([], None, None)
        return Page(
            documents,
            self._cursor(documents[-1], digest, backwards=False) if has_next else None,
            self._cursor(documents[0], digest, backwards=True) if has_previous else None,
        )

    def _beyond(self, at: _Cursor, descending: bool, limit: int) -> list[Stored]:
        """First what ties with the cursor's key, then what lies beyond it: two ranges of an index, where one `$or`
        would be none."""
        field, value = self.order.field, self.order.value_of(at.key)
        beyond = "$lt" if descending else "$gt"
        ties = self._find({**self.query, field: value, "_id": {beyond: at.id}}, descending, limit)
        if len(ties) == limit:
            return ties
        rest = {**self.query, field: _narrowed(self.query.get(field), beyond, value)}
        return ties + self._find(rest, descending, limit - len(ties))

    def _find(self, query: Mapping[str, Any], descending: bool, limit: int) -> list[Stored]:
        direction = -1 if descending else 1
        cursor = self.collection.find(query, self.fields, max_time_ms=FIND_MS, limit=limit)
        return list(cursor.sort([(self.order.field, direction), ("_id", direction)]))

    def _cursor(self, document: Stored, digest: bytes, *, backwards: bool) -> str:
        cursor = _Cursor(digest, backwards, self.order.key_of(document), document["_id"])
        return base64.urlsafe_b64encode(msgspec.msgpack.encode(cursor)).rstrip(b"=").decode()


@dataclass(frozen=True)
class Page:
    """Documents in order, and the cursors of the pages beside it, None where there is none."""

    documents: list[Stored]
    next: str | None
    previous: str | None


def _narrowed(asked: Any, operator: str, value: Any) -> dict[str, Any]:
    """What was asked of the sort field, and beyond the value too. Questions write upper bounds with ``$lt``."""
    bounds = {} if asked is None else dict(asked) if isinstance(asked, dict) else {"$eq": asked}
    if operator == "$lt" and "$lt" in bounds:
        value = min(value, bounds["$lt"])
    return {**bounds, operator: value}


def _decode(text: str, digest: bytes) -> _Cursor:
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        cursor = msgspec.msgpack.decode(raw, type=_Cursor)
    except (binascii.Error, msgspec.DecodeError, ValueError) as error:
        raise CursorInvalid("it was not made by this shop") from error
    if cursor.question != digest:
        raise CursorInvalid("it belongs to another question")
    return cursor
