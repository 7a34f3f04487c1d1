"""Which generation is built, by whom, and whether it may be: kept in the pointer, so that a rebuild survives its death.

One rebuild of a projection at a time: whoever builds renews a lease. After a kill another one goes on from the
checkpoints when the lease is over.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.database import Database

from acme.ports import EventLog
from projections.runtime.checkpoints import Checkpoints, Stream
from projections.runtime.control import NotDone
from projections.runtime.failures import ENGINE_FAILURES, is_engine_failure
from projections.runtime.generations import POINTERS, drop_generation, next_number, open_live, prepare
from projections.runtime.projection import Projection

LEASE = 10.0  # seconds without renewal after which whoever built is taken for dead


@dataclass(frozen=True, kw_only=True)
class Building:
    """A generation on its way. ``resumed``: another process had begun it."""

    generation: int
    owner: str
    resumed: bool


def owner() -> str:
    """This process."""
    return f"{socket.gethostname()}:{os.getpid()}"


def begin(
    store: Database[dict[str, Any]],
    log: EventLog,
    projection: Projection,
    *,
    source: str,
    by: str,
    sleep: Callable[[float], None] = time.sleep,
) -> Building:
    """Takes up the unfinished generation, or makes a new one. Waits for the lease of a rebuild that was killed.

    What was begun by another version of the code, or in an older log epoch, is dropped. Raises `NotDone` while somebody
    else builds.
    """
    open_live(store, projection)
    me = owner()
    while True:
        pointer = store[POINTERS].find_one({"_id": projection.name}) or {}
        found = pointer.get("building")
        if not found:
            made = _new(store, projection, pointer, source=source, by=by, me=me)
            if made is not None:
                return made
            continue
        if found["owner"] != me and not _is_over(store, projection, found, sleep):
            if not (store[POINTERS].find_one({"_id": projection.name}) or {}).get("building"):
                continue  # it has just ended
            who = f"{found['owner']} (asked by {found['by']})"
            raise NotDone(f"{projection.name} is being rebuilt by {who}, into generation {found['generation']}")
        if not _still_good(store, log, projection, found):
            _drop(store, projection, found)
            continue
        note = {"building.owner": me, "building.lease_until": _lease(), "building.source": source}
        if _change(store, projection, found, {"$set": note, "$unset": {"handing_over": ""}}):
            prepare(store, projection, found["generation"])
            return Building(generation=found["generation"], owner=me, resumed=True)


def _is_over(
    store: Database[dict[str, Any]],
    projection: Projection,
    building: dict[str, Any],
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Whether nobody works on it: its lease has ended, or is not renewed for so long as one lasts by our own clock."""
    looked = time.monotonic()
    while building["lease_until"] > datetime.now(UTC) and time.monotonic() - looked < LEASE:
        sleep(0.1)
        now = (store[POINTERS].find_one({"_id": projection.name}) or {}).get("building")
        if now != building:
            return False
    return True


def _change(
    store: Database[dict[str, Any]], projection: Projection, building: dict[str, Any], update: dict[str, Any]
) -> bool:
    """Changes the pointer if it says just what was read: whoever seemed dead may wake up at any moment."""
    mine = {"_id": projection.name, "building": building}
    return bool(store[POINTERS].update_one(mine, update).matched_count)


def _drop(store: Database[dict[str, Any]], projection: Projection, building: dict[str, Any]) -> bool:
    """False when somebody has gone on with it meanwhile."""
    if not _change(store, projection, building, {"$unset": {"building": "", "handing_over": ""}}):
        return False
    drop_generation(store, projection, building["generation"])
    return True


def _new(
    store: Database[dict[str, Any]], projection: Projection, pointer: dict[str, Any], *, source: str, by: str, me: str
) -> Building | None:
    """None when somebody else was faster."""
    number = next_number(pointer)
    note = {
        "generation": number,
        "version": projection.version,
        "source": source,
        "by": by,
        "at": datetime.now(UTC),
        "owner": me,
        "lease_until": _lease(),
    }
    free = {"_id": projection.name, "building": None, "numbered": pointer.get("numbered")}
    if not store[POINTERS].update_one(free, {"$set": {"building": note, "numbered": number}}).matched_count:
        return None
    prepare(store, projection, number)
    return Building(generation=number, owner=me, resumed=False)


def _still_good(
    store: Database[dict[str, Any]], log: EventLog, projection: Projection, building: dict[str, Any]
) -> bool:
    """Whether today's code may go on with it, in today's log epoch."""
    epochs = {(head.topic, head.partition): head.log_epoch for head in log.heads(projection.topics)}
    held = Checkpoints(store, projection.name, building["generation"]).load(epochs)
    old = [c for stream, c in held.items() if c.log_epoch is not None and c.log_epoch != epochs[stream]]
    return building["version"] == projection.version and not old


def abandon(store: Database[dict[str, Any]], projection: Projection) -> int:
    """Drops the unfinished generation and answers its number. Raises `NotDone` when there is none, or one in work."""
    pointer = store[POINTERS].find_one({"_id": projection.name}) or {}
    found = pointer.get("building")
    if not found:
        raise NotDone(f"{projection.name} has no unfinished rebuild")
    if not _is_over(store, projection, found) or not _drop(store, projection, found):
        raise NotDone(f"{projection.name} is being rebuilt by {found['owner']}: end that first")
    return int(found["generation"])


def _lease() -> datetime:
    return datetime.now(UTC) + timedelta(seconds=LEASE)


class LeaseLost(Exception):
    """Somebody else has taken up this rebuild, because it was not heard of for too long."""


@contextmanager
def leased(store: Database[dict[str, Any]], projection: Projection, building: Building) -> Iterator[Callable[[], None]]:
    """Renews the lease in a thread of its own; yields a check that raises `LeaseLost`. Gives it back at the end."""
    mine = {
        "_id": projection.name,
        "building.generation": building.generation,
        "building.owner": building.owner,
    }
    over, lost = threading.Event(), threading.Event()

    def renew() -> None:
        while not over.wait(LEASE / 4):
            try:
                if not store[POINTERS].update_one(mine, {"$set": {"building.lease_until": _lease()}}).matched_count:
                    lost.set()
            except Exception as error:
                if not is_engine_failure(error):
                    raise

    def check() -> None:
        if lost.is_set():
            raise LeaseLost(f"{projection.name}: somebody else goes on with generation {building.generation}")

    thread = threading.Thread(target=renew, name=f"rebuild-lease-{projection.name}", daemon=True)
    thread.start()
    try:
        yield check
    finally:
        over.set()
        thread.join(LEASE)
        with suppress(*ENGINE_FAILURES):  # it ends by itself
            store[POINTERS].update_one(mine, {"$set": {"building.lease_until": datetime.now(UTC)}})


def all_streams(log: EventLog, projection: Projection) -> list[Stream]:
    """Every partition of the projection's topics."""
    return [(head.topic, head.partition) for head in log.heads(projection.topics)]
