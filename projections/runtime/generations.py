"""Generations: a projection's collection and bookkeeping under a number, and the pointer that names the live one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mongoengine
from pymongo.collection import Collection
from pymongo.database import Database

from projections.runtime.projection import Projection
from queries.documents.bookkeeping import Checkpoint, StoppedAggregate, WorkerHeartbeat
from queries.documents.connection import collection_name
from queries.documents.dead_letters import DeadLetter, OperatorRequest

POINTERS = "projection_pointers"
#: What else has indexes; heartbeats of workers that were killed go away by theirs.
BOOKKEEPING = (Checkpoint, StoppedAggregate, WorkerHeartbeat, DeadLetter, OperatorRequest)


def open_live(store: Database[dict[str, Any]], projection: Projection) -> int:
    """The live generation, made with its indexes when there is none yet; several workers may do so at once."""
    pointers = store[POINTERS]
    pointers.update_one(
        {"_id": projection.name},
        {
            "$setOnInsert": {"live": 1, "numbered": 1, "version": projection.version},
            "$set": {"topics": list(projection.topics)},
        },
        upsert=True,
    )
    pointer = pointers.find_one({"_id": projection.name})
    generation = int(pointer["live"]) if pointer else 1
    prepare(store, projection, generation)
    return generation


def live_of(store: Database[dict[str, Any]], projection: str) -> int:
    """The live generation as the store says now; 1 before any pointer exists."""
    pointer = store[POINTERS].find_one({"_id": projection}, {"live": 1}) or {}
    return int(pointer.get("live", 1))


def next_number(pointer: Mapping[str, Any]) -> int:
    """Of a generation that never was: workers of a dropped one may still wake up and write under its number."""
    building = pointer.get("building") or {}
    used = (pointer.get("live"), pointer.get("previous"), pointer.get("numbered"), building.get("generation"))
    return max(int(number or 0) for number in used) + 1


def sweep(store: Database[dict[str, Any]], projection: Projection) -> list[int]:
    """Drops every generation that the pointer does not name; answers their numbers."""
    prefix = collection_name(projection.name, 0)[:-1]
    names = [name for name in store.list_collection_names() if name.startswith(prefix)]
    found = {int(name[len(prefix) :]) for name in names if name[len(prefix) :].isdecimal()}
    found |= set(store[Checkpoint._meta["collection"]].distinct("generation", {"projection": projection.name}))
    # Afterwards: what is begun in between is not found, or named.
    pointer = store[POINTERS].find_one({"_id": projection.name}) or {"live": 1}
    building = (pointer.get("building") or {}).get("generation")
    dropped = sorted(found - {pointer["live"], pointer.get("previous"), building})
    for number in dropped:
        drop_generation(store, projection, number)
    return dropped


def prepare(store: Database[dict[str, Any]], projection: Projection, generation: int) -> None:
    """Makes the collections of a generation with their indexes; what is there stays."""
    ensure_indexes(projection.document, store[collection_name(projection.name, generation)])
    for kept in BOOKKEEPING:
        ensure_indexes(kept, store[kept._meta["collection"]])


def drop_generation(store: Database[dict[str, Any]], projection: Projection, generation: int) -> None:
    """Removes documents, checkpoints, markers, dead letters and requests of a generation that is not live."""
    mine = {"projection": projection.name, "generation": generation}
    for kept in (DeadLetter, StoppedAggregate, Checkpoint, OperatorRequest):
        store[kept._meta["collection"]].delete_many(mine)
    store[collection_name(projection.name, generation)].drop()


def ensure_indexes(document: type[mongoengine.Document], collection: Collection[dict[str, Any]]) -> None:
    """Makes the indexes that the document's shape declares; existing ones stay."""
    for spec in document._meta["index_specs"]:
        options = {name: value for name, value in spec.items() if name != "fields"}
        collection.create_index(spec["fields"], **options)


def abandon_group(store: Database[dict[str, Any]], projection: Projection, number: int) -> None:
    """Moves all workers to a new group: the broker hands out nothing in this one. Harmless, checkpoints are ours."""
    current: dict[str, Any] = {"_id": projection.name, "group": number if number else {"$in": [0, None]}}
    store[POINTERS].update_one(current, {"$set": {"group": number + 1}})


def rebuild_due(store: Database[dict[str, Any]], projection: Projection) -> bool:
    """Whether the live generation was made by another version of the projection's code."""
    pointer = store[POINTERS].find_one({"_id": projection.name})
    return pointer is not None and pointer.get("version") != projection.version
