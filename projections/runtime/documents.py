"""The documents of one generation: read in chunks, kept in memory after writing, written with compare-and-set.

Kept documents are BSON bytes: a fresh, changeable copy costs one decode, what is kept is exactly what was stored, and
its size is known.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import bson
from bson.codec_options import CodecOptions
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.errors import BulkWriteError

#: Ids per find: the embedded server's $in is quadratic beyond a few hundred, and real MongoDB does not mind.
FIND_CHUNK = 100
DUPLICATE_KEY = 11000
#: Bytes of kept documents, by default: fifty thousand carts with a line each, or four hundred documents of 100 KB.
CAPACITY = 40 * 1024 * 1024
#: Bytes that CPython and the dictionary need for an entry beside the document: key, headers, links (measured).
ENTRY = 300

Document = dict[str, Any]


class Overtaken(Exception):
    """A guarded write found something else than was read: another worker was faster, or the store went back.

    The batch is dropped, checkpoints and documents are read anew, and the stream is followed from there.
    """


class DocumentCache:
    """Documents last read or written, between batches up to ``capacity`` bytes; the least recently used go first."""

    def __init__(self, collection: Collection[Document], *, capacity: int = CAPACITY) -> None:
        raw: CodecOptions[RawBSONDocument] = CodecOptions(document_class=RawBSONDocument)
        self._collection = collection.with_options(codec_options=raw)  # they are kept as they come
        self._capacity = capacity
        self._size = 0  # bytes
        self._options: CodecOptions[Document] = CodecOptions(tz_aware=True)
        self._raw: OrderedDict[str, bytes | None] = OrderedDict()
        self._read: set[str] = set()  # since `begin`

    def begin(self) -> None:
        """Another batch begins: what is known was kept from an earlier one."""
        self._read.clear()

    def is_kept(self, key: str) -> bool:
        """Whether it was not read from the store since `begin`."""
        return key not in self._read

    def load(self, keys: Iterable[str]) -> None:
        """Makes all of these known: one find per chunk for those that are not."""
        missing = []
        for key in keys:
            if key in self._raw:
                self._raw.move_to_end(key)
            else:
                missing.append(key)
        for start in range(0, len(missing), FIND_CHUNK):
            chunk = missing[start : start + FIND_CHUNK]
            found = {str(d["_id"]): bytes(d.raw) for d in self._collection.find({"_id": {"$in": chunk}})}
            for key in chunk:
                self._set(key, found.get(key))
            self._read.update(chunk)

    def get(self, key: str) -> Document | None:
        """A fresh copy, or None where the store has none. `load` must have been called."""
        if key not in self._raw:
            self.load([key])
        raw = self._raw[key]
        return None if raw is None else bson.decode(raw, self._options)

    def put(self, key: str, document: Document) -> None:
        self._set(key, bson.encode(document))

    def drop(self, keys: Iterable[str]) -> None:
        for key in keys:
            if key in self._raw:
                self._size -= _size(self._raw.pop(key))

    def clear(self) -> None:
        self._raw.clear()
        self._size = 0

    def trim(self) -> None:
        """Forgets the oldest beyond the capacity; called between batches, never inside one."""
        while self._size > self._capacity:
            _, raw = self._raw.popitem(last=False)
            self._size -= _size(raw)

    def _set(self, key: str, raw: bytes | None) -> None:
        if key in self._raw:
            self._size -= _size(self._raw[key])
            self._raw.move_to_end(key)
        self._raw[key] = raw
        self._size += _size(raw)


def _size(raw: bytes | None) -> int:
    """Bytes in memory, also of knowing that there is no document."""
    return ENTRY + len(raw or b"")


def write_guarded(collection: Collection[Document], operations: list[Any]) -> None:
    """One unordered bulk write in which every operation must match or insert. Raises `Overtaken` otherwise."""
    if not operations:
        return
    try:
        result = collection.bulk_write(operations, ordered=False)
    except BulkWriteError as error:
        errors = error.details.get("writeErrors", [])
        if errors and all(item.get("code") == DUPLICATE_KEY for item in errors):
            raise Overtaken(f"{collection.name}: {len(errors)} documents were inserted by somebody else") from error
        raise
    done = result.matched_count + len(result.upserted_ids or {}) + result.inserted_count
    if done != len(operations):
        raise Overtaken(f"{collection.name}: {len(operations) - done} of {len(operations)} documents have changed")
