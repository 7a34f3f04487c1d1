"""Pause, resume, reset: what an operator tells all workers of a projection, through its pointer.

Workers read the pointer every half second (`WorkerSettings.control`), wherever they run.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from pymongo.database import Database

from projections.runtime.generations import POINTERS, drop_generation, prepare
from projections.runtime.projection import Projection
from projections.runtime.requests import fail_open

Store = Database[dict[str, Any]]


class NotDone(Exception):
    """The pointer has changed meanwhile, or there is none; the message says what to do."""


@dataclass(frozen=True, kw_only=True)
class Orders:
    """What the pointer says to workers: which generation and consumer group to use, and whether to rest."""

    live: int = 1
    group: int = 0
    paused: dict[str, Any] = field(default_factory=dict)


def read_orders(store: Store, projection: str) -> Orders:
    """What holds now; the defaults where there is no pointer yet."""
    pointer = store[POINTERS].find_one({"_id": projection}) or {}
    return Orders(
        live=int(pointer.get("live", 1)), group=int(pointer.get("group") or 0), paused=pointer.get("paused") or {}
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
    old = int(pointer["live"])
    new = max(old, int(pointer.get("previous") or 0)) + 1
    drop_generation(store, projection, new)  # what a reset that was killed before the switch has left
    prepare(store, projection, new)
    note = {"live": new, "previous": old, "version": projection.version, "reset_by": by, "reset_at": datetime.now(UTC)}
    if not store[POINTERS].update_one({"_id": projection.name, "live": old}, {"$set": note}).matched_count:
        raise NotDone(f"{projection.name} was switched to another generation meanwhile: look at its status")
    fail_open(store, projection.name, old, "the projection was reset")
    for number in range(max(1, old - 2), old):
        drop_generation(store, projection, number)
    return new


def _change(store: Store, projection: str, update: dict[str, Any]) -> None:
    if not store[POINTERS].update_one({"_id": projection}, update).matched_count:
        raise NotDone(f"{projection} was never run: it has no workers to tell")
