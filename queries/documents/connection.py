"""The read store: one lazily made connection per process, and the collection behind a read model's live generation."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

import mongoengine
from mongoengine.queryset import QuerySet
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import ConfigurationError

from acme.env import EngineNotConfigured, env

ALIAS = "default"
#: How long a reader may go on with the generation it knows, in seconds (stream.md 4).
POINTER_SECONDS = 1.0

_lock = threading.Lock()
_connected_pid: int | None = None
_pointers: dict[str, tuple[float, int]] = {}


def database() -> Database[dict[str, Any]]:
    """The database that MONGODB_URL names; connects at the first use in each process (clients do not survive a fork).

    Writes are acknowledged by the majority. Raises `EngineNotConfigured` when there is no URL, pymongo's errors later.
    """
    global _connected_pid
    with _lock:
        if _connected_pid != os.getpid():
            mongoengine.disconnect(ALIAS)
            mongoengine.connect(
                host=env.require("mongodb_url"),
                alias=ALIAS,
                w="majority",
                tz_aware=True,
                uuidRepresentation="standard",
                serverSelectionTimeoutMS=3000,
                connectTimeoutMS=3000,
                socketTimeoutMS=30_000,  # a server that was suspended is a failure at last, not a call without end
                appname="acme",
            )
            _connected_pid = os.getpid()
        try:
            found: Database[dict[str, Any]] = mongoengine.get_db(ALIAS)
        except ConfigurationError as error:
            raise EngineNotConfigured(f"MONGODB_URL must name a database: {error}") from error
        return found


def reset_connection() -> None:
    """Forgets the connection and the cached pointers (tests that move to another server)."""
    global _connected_pid
    with _lock:
        mongoengine.disconnect(ALIAS)
        _connected_pid = None
        _pointers.clear()


def collection_name(projection: str, generation: int) -> str:
    """The collection of one generation of a projection."""
    return f"{projection}__g{generation}"


def live_generation(projection: str, *, fresh: bool = False) -> int:
    """The generation that readers use: 1 before any pointer exists. ``fresh`` reads the pointer anew."""
    known = _pointers.get(projection)
    if known is not None and not fresh and time.monotonic() - known[0] < POINTER_SECONDS:
        return known[1]
    pointer = database()["projection_pointers"].find_one({"_id": projection}, {"live": 1}, max_time_ms=3000)
    generation = int(pointer["live"]) if pointer else 1
    _pointers[projection] = (time.monotonic(), generation)
    return generation


def live_collection(projection: str, *, fresh: bool = False) -> Collection[dict[str, Any]]:
    """The collection of the live generation."""
    return database()[collection_name(projection, live_generation(projection, fresh=fresh))]


def objects(document: type[mongoengine.Document], *, fresh: bool = False) -> QuerySet:
    """A mongoengine query set over the live generation of the read model with this shape.

    Not `switch_collection`: that changes the class and so every other thread's queries.
    """
    return QuerySet(document, live_collection(document.projection, fresh=fresh))
