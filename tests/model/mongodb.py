"""MongoDB in memory: the commands that the runtime uses, one at a time, and a store that can lose its tail.

`test_mongodb.py` compares it with the real server. Documents are kept as BSON, so what comes back is what a server
would send: copies, times in UTC to the millisecond.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from copy import copy
from types import SimpleNamespace
from typing import Any

import bson
from bson.codec_options import CodecOptions
from pymongo import DeleteOne, InsertOne, ReplaceOne, UpdateOne
from pymongo.errors import AutoReconnect, BulkWriteError

from tests.model.actors import Actors
from tests.model.mongodb_language import Document, evaluate, matches, updated

OPTIONS: CodecOptions[Document] = CodecOptions(tz_aware=True)
DUPLICATE_KEY = 11000


class Cursor:
    """What `find` answers; the command is sent when it is read."""

    def __init__(self, read: Callable[[], list[bytes]], fields: Document | None, options: CodecOptions[Any]) -> None:
        self._read, self._fields, self._options = read, fields, options
        self._sort: list[tuple[str, int]] = []
        self._from, self._to = 0, None

    def sort(self, key: str | list[tuple[str, int]], direction: int = 1) -> Cursor:
        self._sort = [(key, direction)] if isinstance(key, str) else key
        return self

    def skip(self, number: int) -> Cursor:
        self._from = number
        return self

    def limit(self, number: int) -> Cursor:
        self._to = number
        return self

    def __iter__(self) -> Iterator[Document]:
        rows = [bson.decode(raw, self._options) for raw in self._read()]
        for name, direction in reversed(self._sort):
            rows.sort(key=lambda row: _sortable(row.get(name)), reverse=direction < 0)
        rows = rows[self._from :][: self._to]
        if self._fields is None:
            return iter(rows)
        wanted = {"_id", *self._fields}
        return iter([{name: value for name, value in row.items() if name in wanted} for row in rows])


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is not None, value if value is not None else 0)


#: In the order in which the driver sends them.
KINDS = {InsertOne: 0, UpdateOne: 1, ReplaceOne: 1, DeleteOne: 2}


class Collection:
    """One collection of a `Store`."""

    def __init__(self, store: Store, name: str) -> None:
        self.name, self._store, self._options = name, store, OPTIONS
        self.rows: dict[Any, tuple[bytes, Document]] = {}

    def with_options(self, codec_options: CodecOptions[Any]) -> Collection:
        """The same documents, read otherwise."""
        other = copy(self)
        other._options = codec_options
        return other

    def find(self, filter_: Document | None = None, fields: Document | None = None) -> Cursor:
        def read() -> list[bytes]:
            return [self.rows[key][0] for key in self._found(filter_ or {})]

        return Cursor(lambda: self._call("find", read), fields, self._options)

    def find_one(self, filter_: Document, fields: Document | None = None, *, sort: Any = None, **_: Any) -> Any:
        found = self.find(filter_, fields)
        return next(iter(found.sort(sort) if sort else found), None)

    def count_documents(self, filter_: Document) -> int:
        return int(self._call("count", lambda: len(self._found(filter_))))

    def distinct(self, name: str, filter_: Document) -> list[Any]:
        found = self._call("distinct", lambda: [self.rows[key][1] for key in self._found(filter_)])
        return sorted({row[name] for row in found if name in row})

    def aggregate(self, stages: list[Document]) -> list[Document]:
        """Only the highest of an expression over all documents: ``{"$group": {"_id": None, x: {"$max": …}}}``."""
        ((name, of),) = ((k, v["$max"]) for k, v in stages[0]["$group"].items() if k != "_id")
        values = self._call("aggregate", lambda: [evaluate(of, row, {}) for _, row in self.rows.values()])
        known = [value for value in values if value is not None]
        return [{"_id": None, name: max(known, default=None)}] if values else []

    def bulk_write(self, operations: list[Any], ordered: bool = True) -> Any:
        return self._call(f"{len(operations)} writes", lambda: self._bulk(operations))

    def update_one(self, filter_: Document, change: Any, upsert: bool = False) -> Any:
        return self._call("update", lambda: self._update(filter_, change, upsert))

    def update_many(self, filter_: Document, change: Document) -> Any:
        def every() -> Any:
            keys = self._found(filter_)
            return SimpleNamespace(modified_count=sum(self._change(key, change) for key in keys))

        return self._call("update many", every)

    def delete_one(self, filter_: Document) -> Any:
        return self._call("delete", lambda: SimpleNamespace(deleted_count=self._delete(self._found(filter_)[:1])))

    def delete_many(self, filter_: Document) -> Any:
        return self._call("delete many", lambda: SimpleNamespace(deleted_count=self._delete(self._found(filter_))))

    def insert_one(self, document: Document) -> None:
        self._call("insert", lambda: self._put(document["_id"], bson.encode(document)))

    def drop(self) -> None:
        self._call("drop", lambda: self._delete(list(self.rows)))

    def create_index(self, *_: Any, **__: Any) -> None:
        """Makes nothing faster here."""

    def _call(self, what: str, do: Callable[[], Any]) -> Any:
        return self._store.actors.call("mongodb", f"{self.name} {what}", do)

    def _found(self, filter_: Document) -> list[Any]:
        key = filter_.get("_id", {})
        keys: Any = key.get("$in", self.rows) if isinstance(key, dict) else [key]
        return [k for k in dict.fromkeys(keys) if k in self.rows and matches(self.rows[k][1], filter_)]

    def _put(self, key: Any, raw: bytes | None) -> None:
        self._store.note(self, key)
        self.put(key, raw)

    def put(self, key: Any, raw: bytes | None) -> None:
        """Sets a document, or takes it away, without a note of it."""
        if raw is None:
            self.rows.pop(key, None)
        else:
            self.rows[key] = raw, bson.decode(raw, OPTIONS)

    def _delete(self, keys: list[Any]) -> int:
        for key in keys:
            self._put(key, None)
        return len(keys)

    def _change(self, key: Any, change: Any) -> bool:
        raw = bson.encode(updated(bson.decode(self.rows[key][0], OPTIONS), change, inserted=False))
        if raw == self.rows[key][0]:
            return False
        self._put(key, raw)
        return True

    def _update(self, filter_: Document, change: Any, upsert: bool) -> Any:
        """Raises ValueError for an insert under a key that is taken."""
        found = self._found(filter_)[:1]
        if found:
            modified = self._change(found[0], change)
            return SimpleNamespace(matched_count=1, modified_count=int(modified), upserted_id=None)
        if not upsert:
            return SimpleNamespace(matched_count=0, modified_count=0, upserted_id=None)
        if filter_["_id"] in self.rows:
            raise ValueError(filter_["_id"])
        equal: Document = {name: v for name, v in filter_.items() if not isinstance(v, dict)}
        new = updated({}, {"$set": {name: v for name, v in equal.items() if name != "_id"}}, inserted=True)
        self._put(filter_["_id"], bson.encode(updated({"_id": filter_["_id"], **new}, change, inserted=True)))
        return SimpleNamespace(matched_count=0, modified_count=0, upserted_id=filter_["_id"])

    def _replace(self, found: list[Any], document: Document) -> Any:
        raw = bson.encode(document)
        modified = [key for key in found if self.rows[key][0] != raw]
        for key in modified:
            self._put(key, raw)
        return SimpleNamespace(matched_count=len(found), modified_count=len(modified), upserted_id=None)

    def _bulk(self, operations: list[Any]) -> Any:
        """Others may come in between two operations. A server that dies meanwhile answers nothing, or the driver
        sends the whole command to the next one, which still knows the operations that have survived. The driver makes
        a command of all inserts, then one of all updates, and so on."""
        store, done = self._store, {}
        kinds = [KINDS[type(operation)] for operation in operations]
        for place, number in enumerate(sorted(range(len(operations)), key=lambda n: (kinds[n], n))):
            if place:
                store.actors.inside(f"mongodb: {self.name} write {place + 1}")
            command = {n: of for n, of in done.items() if kinds[n] == kinds[number]}
            self._do_again(operations, command)
            done |= command
            done[number] = store.writes, store.incarnation, self._one(operations[number])
        answers = [done[number][2] for number in range(len(operations))]
        errors = [
            {"index": n, "code": DUPLICATE_KEY, "errmsg": "duplicate key"} for n, a in enumerate(answers) if a is None
        ]
        if errors:
            raise BulkWriteError({"writeErrors": errors})
        upserted = {n: a.upserted_id for n, a in enumerate(answers) if a.upserted_id is not None}
        return SimpleNamespace(
            matched_count=sum(a.matched_count for a in answers),
            modified_count=sum(a.modified_count for a in answers),
            deleted_count=sum(getattr(a, "deleted_count", 0) for a in answers),
            inserted_count=sum(getattr(a, "inserted_count", 0) for a in answers),
            upserted_count=len(upserted),
            upserted_ids=upserted,
        )

    def _do_again(self, operations: list[Any], done: dict[int, Any]) -> None:
        store = self._store
        if all(incarnation == store.incarnation for _, incarnation, _ in done.values()):
            return
        if store.gives_up or (store.actors.current and store.actors.current.killed):
            raise AutoReconnect("the server has died")
        for number, (writes, incarnation, answer) in list(done.items()):
            kept = all(writes < left for left in store.kept[incarnation - 1 :])
            done[number] = writes, store.incarnation, answer if kept else self._one(operations[number])

    def _one(self, operation: Any) -> Any:
        if isinstance(operation, DeleteOne):
            deleted = self._delete(self._found(operation._filter)[:1])
            return SimpleNamespace(matched_count=0, modified_count=0, upserted_id=None, deleted_count=deleted)
        if isinstance(operation, InsertOne):
            if operation._doc["_id"] in self.rows:
                return None
            self._put(operation._doc["_id"], bson.encode(operation._doc))
            return SimpleNamespace(matched_count=0, modified_count=0, upserted_id=None, inserted_count=1)
        if isinstance(operation, ReplaceOne):
            assert not operation._upsert
            return self._replace(self._found(operation._filter)[:1], operation._doc)
        assert isinstance(operation, UpdateOne)
        try:
            return self._update(operation._filter, operation._doc, bool(operation._upsert))
        except ValueError:
            return None


class Store:
    """The database. ``writes`` counts all changes; ``kept``: how many of them each restart has left."""

    def __init__(self, actors: Actors) -> None:
        self.actors = actors
        self.incarnation = 1
        self.writes = 0
        self.kept: list[int] = []
        self.gives_up = True  # what the driver does with a command that a dying server has cut short
        self.collections: dict[str, Collection] = {}
        self._undo: list[tuple[Collection, Any, bytes | None]] = []
        self.client = SimpleNamespace(admin=SimpleNamespace(command=self._hello))

    def __getitem__(self, name: str) -> Collection:
        if name not in self.collections:
            self.collections[name] = Collection(self, name)
        return self.collections[name]

    def list_collection_names(self) -> list[str]:
        def answer() -> list[str]:
            return [name for name, collection in self.collections.items() if collection.rows]

        return list(self.actors.call("mongodb", "list collections", answer))

    def note(self, collection: Collection, key: Any) -> None:
        """Remembers a document as it is before a change."""
        known = collection.rows.get(key)
        self._undo.append((collection, key, known[0] if known else None))
        self.writes += 1

    def restart(self, lost: int) -> None:
        """Another process, without the last so many changes."""
        for _ in range(min(lost, len(self._undo))):
            collection, key, raw = self._undo.pop()
            collection.put(key, raw)
        self.writes = len(self._undo)
        self.kept.append(self.writes)
        self.incarnation += 1

    def _hello(self, _: str) -> Document:
        def answer() -> Document:
            return {"topologyVersion": {"processId": self.incarnation}}

        return dict(self.actors.call("mongodb", "hello", answer))
