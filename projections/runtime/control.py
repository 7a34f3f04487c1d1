"""Pause, resume, reset: what an operator tells all workers of a projection, through its pointer.

Workers read the pointer every half second (`WorkerSettings.control`), wherever they run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pymongo.database import Database

from projections.runtime.generations import POINTERS, drop_generation, next_number, prepare, sweep
from projections.runtime.projection import Projection
from projections.runtime.requests import fail_open

Store = Database[dict[str, Any]]


class NotDone(Exception):
    """The pointer has changed meanwhile, or there is none; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What the pointer says to workers: which generation and consumer group to use, and whether to rest.

    ``following``: the generation before, where it is kept up to date for a rollback. ``handing_over``: {id, to, at}
    while another generation is about to go live.
    """

    live: int = 1
    group: int = 0
    paused: dict[str, Any] = field(default_factory=dict)
    following: int | None = None
    handing_over: dict[str, Any] = field(default_factory=dict)


def read_orders(store: Store, projection: str) -> Orders:
    """What holds now; the defaults where there is no pointer yet."""
    pointer = store[POINTERS].find_one({"_id": projection}) or {}
    return Orders(
        live=int(pointer.get("live", 1)),
        group=int(pointer.get("group") or 0),
        paused=pointer.get("paused") or {},
        following=pointer.get("following"),
        handing_over=pointer.get("handing_over") or {},
    )


def pause(store: Store, projection: str, *, by: str, reason: str = "") -> dict[str, Any] | None:
    """Workers finish their batch and apply nothing more; lag is still told. Raises `NotDone` without a pointer.

    A second pause changes nothing: since when it rests, by whom and why stays as it was said first; that is the answer.
    """
    note = {"by": by, "reason": reason, "at": datetime.now(UTC)}
    free = {"_id": projection, "paused": None}  # also where there is no such field
    while not store[POINTERS].update_one(free, {"$set": {"paused": note}}).matched_count:
        pointer = store[POINTERS].find_one({"_id": projection})
        if pointer is None:
            raise NotDone(f"{projection} was never run: it has no workers to tell")
        if (before := pointer.get("paused")) is not None:  # else it was resumed between the two
            return dict(before)
    return None


def resume(store: Store, projection: str) -> None:
    """Workers go on from their checkpoints. Raises `NotDone` without a pointer."""
    _change(store, projection, {"$unset": {"paused": ""}})


def reset(store: Store, projection: Projection, *, by: str) -> int:
    """A new empty generation goes live at once and is filled from the beginning of the stream; answers its number.

    The generation before is kept, those before that are dropped. Raises `NotDone` when somebody else was faster.
    """
    pointer = store[POINTERS].find_one({"_id": projection.name})
    if pointer is None:
        raise NotDone(f"{projection.name} was never run: there is nothing to reset")
    old, new = int(pointer["live"]), next_number(pointer)
    drop_generation(store, projection, new)  # what a reset that was killed before the switch has left
    prepare(store, projection, new)
    note: dict[str, Any] = {"live": new, "numbered": new, "previous": old, "version": projection.version}
    note |= {"previous_version": pointer.get("version"), "reset_by": by, "reset_at": datetime.now(UTC)}
    change = {"$set": note, "$unset": {"following": "", "handing_over": ""}}
    if not store[POINTERS].update_one({"_id": projection.name, "live": old}, change).matched_count:
        raise NotDone(f"{projection.name} was switched to another generation meanwhile: look at its status")
    fail_open(store, projection.name, old, "the projection was reset")
    sweep(store, projection)
    return new


def _change(store: Store, projection: str, update: dict[str, Any]) -> None:
    if not store[POINTERS].update_one({"_id": projection}, update).matched_count:
        raise NotDone(f"{projection} was never run: it has no workers to tell")
