"""What an operator asks of the workers that own the partitions: retry, discard, resync.

Asking marks the letters that are parked at that moment: that is the cut-off, so a request ends even while more events
of the same kind are parked. The worker that owns a letter's partition carries it out; a kill loses nothing, because a
letter that is still marked is still to be done. How far a request is, is counted from the letters themselves.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from uuid6 import uuid7

from acme.contracts.topics import BY_AGGREGATE, partition_of
from projections.runtime.documents import FIND_CHUNK
from projections.runtime.generations import live_of
from projections.runtime.letterbox import IN_ORDER, LETTERS, PARKED, Selection, Store
from projections.runtime.projection import Projection
from queries.documents.dead_letters import parked

REQUESTS = "projection_requests"
LONGEST_PAUSE = 0.5  # seconds
RETRY, DISCARD, RESYNC = "retry", "discard", "resync"
MARKING, WAITING, DONE, FAILED = "marking", "waiting", "done", "failed"
#: Of one aggregate's letters these may be asked for alone: the first ones, since their order is kept.
FIRST_ONLY = "earlier letters of {aggregate} are parked: retry or discard the aggregate, or its first letter {first}"


class Refused(Exception):
    """The request cannot be made; the message says why."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request on its way: ``total`` letters are marked (resync: 1)."""

    id: str
    projection: str
    total: int


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a request is. ``failed`` ones failed again, ``held`` ones wait behind such a one."""

    id: str
    projection: str
    action: str
    total: int
    waiting: int
    done: int
    failed: int
    held: int
    finished: bool
    message: str


def ask_retry(
    store: Store, projection: str, selection: Selection, *, by: str, parked_until: datetime | None = None
) -> Asked:
    """Raises `Refused` when nothing matches, or an earlier letter of the one that is named is parked.

    ``parked_until`` sets an earlier cut-off than this moment: that of the canary, say.
    """
    return _ask(store, projection, selection, RETRY, by=by, parked_until=parked_until)


def ask_canary(store: Store, projection: str, selection: Selection, *, by: str) -> Asked:
    """A retry of one letter of the selection: the first that failed itself. Raises `Refused`."""
    chosen = {**selection.filter(store, projection), "held": False}
    first = store[LETTERS].find_one(chosen, {"_id": 1}, sort=IN_ORDER)
    if first is None:
        raise Refused(f"no parked letter of {projection} that failed itself matches {selection}")
    return _ask(store, projection, Selection(letter=first["_id"]), RETRY, by=by)


def ask_discard(store: Store, projection: str, selection: Selection, *, by: str, reason: str) -> Asked:
    """The events are passed over for good, and the aggregates marked as gapped until a resync. Raises `Refused`."""
    if not reason.strip():
        raise Refused("say why the events are discarded")
    return _ask(store, projection, selection, DISCARD, by=by, reason=reason.strip())


def ask_resync(store: Store, projection: Projection, aggregate: str, *, by: str) -> Asked:
    """The aggregate's part of the read model is made anew from the log. ``aggregate``: ``type:id``.

    Raises `Refused` when the projection keeps nothing of such aggregates.
    """
    kind, _, key = aggregate.partition(":")
    if kind not in projection.sections and kind not in projection.counted:
        kept = ", ".join(sorted({*projection.sections, *projection.counted}))
        raise Refused(f"{projection.name} keeps nothing of {kind!r}: it has {kept}")
    try:
        identity = UUID(key)
    except ValueError as error:
        raise Refused(f"{key!r} is no aggregate id") from error
    topic = BY_AGGREGATE[kind]
    request = _request(store, projection.name, RESYNC, aggregate, by=by, state=WAITING)
    place = {"aggregate": f"{kind}:{identity}", "topic": topic.name, "partition": partition_of(topic, identity)}
    store[REQUESTS].insert_one({**request, **place, "total": 1})
    return Asked(id=request["_id"], projection=projection.name, total=1)


def progress(store: Store, request_id: str) -> Progress:
    """Counted from the letters while the request is open; raises `Refused` for an unknown one."""
    request = store[REQUESTS].find_one({"_id": request_id})
    if request is None:
        raise Refused(f"there is no request {request_id}; requests are kept for thirty days")
    finished = request["state"] in {DONE, FAILED}
    counts = request["counts"] if finished else count(store, request)
    return Progress(
        id=request_id,
        projection=request["projection"],
        action=request["action"],
        total=request["total"],
        finished=finished,
        message=request.get("message") or "",
        **counts,
    )


def count(store: Store, request: dict[str, Any]) -> dict[str, int]:
    """``waiting``, ``done``, ``failed``, ``held`` of an open request."""
    if request["action"] == RESYNC:
        return {"waiting": 1, "done": 0, "failed": 0, "held": 0}
    letters, key = store[LETTERS], request["_id"]
    waiting = letters.count_documents({"request": key})
    failed = letters.count_documents({"outcome.request": key, "outcome.result": "failed"})
    held = letters.count_documents({"outcome.request": key, "outcome.result": "held"})
    return {
        "waiting": waiting,
        "done": max(0, request["total"] - waiting - failed - held),
        "failed": failed,
        "held": held,
    }


def is_open(store: Store, request: dict[str, Any]) -> bool:
    """Whether any letter is still to be carried out."""
    return store[LETTERS].find_one({"request": request["_id"]}, {"_id": 1}) is not None


def fail_open(store: Store, projection: str, generation: int, message: str) -> None:
    """Closes requests that no worker will carry out any more."""
    mine = {"projection": projection, "generation": generation, "state": {"$in": [MARKING, WAITING]}}
    for request in list(store[REQUESTS].find(mine)):
        closed = {
            "state": FAILED,
            "counts": count(store, request),
            "message": message,
            "finished_at": datetime.now(UTC),
        }
        store[REQUESTS].update_one({"_id": request["_id"]}, {"$set": closed})


def wait(
    store: Store, request_id: str, *, seconds: float, on_progress: Callable[[Progress], None] = lambda _: None
) -> Progress:
    """Looks until the request is finished or so many seconds passed without any progress."""
    latest = progress(store, request_id)
    moved, pause = time.monotonic(), 0.1
    while not latest.finished and time.monotonic() - moved < seconds:
        time.sleep(pause)
        looked = time.monotonic()
        current = progress(store, request_id)
        # Counting ten thousand letters takes a quarter of a second of an embedded server that has other things to do.
        pause = min(5.0, max(0.1, 20 * (time.monotonic() - looked)))
        if current.waiting != latest.waiting:
            moved = time.monotonic()
        latest = current
        on_progress(latest)
    return latest


def _ask(
    store: Store,
    projection: str,
    selection: Selection,
    action: str,
    *,
    by: str,
    reason: str = "",
    parked_until: datetime | None = None,
) -> Asked:
    chosen = selection.filter(store, projection)
    if parked_until is not None:
        chosen["first_at"] = {"$lte": parked_until}
    if selection.letter:
        _refuse_unless_first(store, chosen)
    # Workers leave it alone until all its letters are marked; one that its process left so is taken up after a while.
    request = _request(store, projection, action, str(selection), by=by, reason=reason, state=MARKING)
    store[REQUESTS].insert_one(request)
    total = _mark(store, chosen, request["_id"])
    if not total:
        store[REQUESTS].delete_one({"_id": request["_id"]})
        busy = store[LETTERS].count_documents(chosen)
        why = f"{busy} parked letters are in another request already" if busy else "there are none"
        raise Refused(f"nothing of {projection} to {action} ({selection}): {why}")
    store[REQUESTS].update_one({"_id": request["_id"]}, {"$set": {"total": total, "state": WAITING}})
    return Asked(id=request["_id"], projection=projection, total=total)


def _mark(store: Store, chosen: dict[str, Any], request: str) -> int:
    """A hundred at a time, and half of the time: ten thousand at once would keep the embedded server from everybody."""
    marked = 0
    rows = list(_fitting(store, chosen))
    free = [None, *_lost(store, {row["request"] for row in rows if row.get("request")})]
    keys = [row["_id"] for row in rows if row.get("request") in free]
    for start in range(0, len(keys), FIND_CHUNK):
        begun = time.monotonic()
        some = {"_id": {"$in": keys[start : start + FIND_CHUNK]}, "state": chosen["state"], "request": {"$in": free}}
        marked += store[LETTERS].update_many(some, {"$set": {"request": request}}).modified_count
        time.sleep(min(LONGEST_PAUSE, time.monotonic() - begun))
    return marked


def _lost(store: Store, requests: set[str]) -> list[str]:
    """Those that are not open (any more): nobody carries them out, so what they have marked is free.

    A store that was restarted may have lost a request whose marks it has, since they were written to the process after;
    or it has a request that was closed there, and has the marks back that were gone before.
    """
    chosen = {"_id": {"$in": sorted(requests)}, "state": {"$in": [MARKING, WAITING]}}
    return sorted(requests - {row["_id"] for row in store[REQUESTS].find(chosen, {"_id": 1})})


def _fitting(store: Store, chosen: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Keys of the chosen letters, each with the request that has marked it."""
    few = "_id" in chosen or "aggregate" in chosen
    parts = [chosen] if few else parked(store, chosen["projection"], chosen["generation"])
    until, fingerprint = chosen.get("first_at", {}).get("$lte"), chosen.get("fingerprint")
    for part in parts:
        # Not asked of the store: with either the embedded server takes another index and reads all parked letters.
        for row in store[LETTERS].find(part, {"request": 1, "fingerprint": 1, "first_at": 1}):
            if (until is None or row["first_at"] <= until) and fingerprint in {None, row.get("fingerprint")}:
                yield row


def _request(
    store: Store, projection: str, action: str, selection: str, *, by: str, state: str, reason: str = ""
) -> dict[str, Any]:
    return {
        "_id": str(uuid7()),
        "projection": projection,
        "generation": live_of(store, projection),
        "action": action,
        "selection": selection,
        "total": 0,
        "by": by,
        "reason": reason,
        "at": datetime.now(UTC),
        "state": state,
    }


def _refuse_unless_first(store: Store, chosen: dict[str, Any]) -> None:
    letter = store[LETTERS].find_one(chosen)
    if letter is None or letter["aggregate"] is None:
        return
    mine = {name: chosen[name] for name in ("projection", "generation")}
    earlier = {**mine, "aggregate": letter["aggregate"], "sequence": {"$lt": letter["sequence"]}}
    rows = store[LETTERS].find(earlier, {"state": 1}).sort("sequence", 1)
    first = next((row for row in rows if row["state"] == PARKED), None)
    if first is not None:
        raise Refused(FIRST_ONLY.format(aggregate=letter["aggregate"], first=first["_id"]))
