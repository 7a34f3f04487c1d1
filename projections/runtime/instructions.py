"""What a worker is told: by operators through the pointer, and by a swap of generations, for which it rests.

A worker of the live generation rests, and says so, while another generation is about to go live: nothing is written to
the live one between the last look at it and the change of the pointer, and no reader sees something older afterwards.
Whoever swaps may die in between, so a worker rests for so many seconds at most, and takes the note away before it goes
on: a swap that wakes up later finds its note gone.
"""

from __future__ import annotations

import time
from typing import Any

from pymongo.database import Database

from projections.runtime.control import Orders, read_orders
from projections.runtime.generations import POINTERS

PAUSED, HANDING_OVER = "paused", "handing over"


class Handover:
    """Of one worker of the live generation."""

    def __init__(self, store: Database[dict[str, Any]], projection: str, seconds: float) -> None:
        self._pointers, self._projection, self._seconds = store[POINTERS], projection, seconds
        self._seen, self._until = "", 0.0

    def rests_for(self, orders: Orders) -> str:
        """The id of the hand-over for which the worker has to rest; empty when there is none (any more)."""
        key = str(orders.handing_over.get("id", ""))
        if not key:
            return ""
        if key != self._seen:
            self._seen, self._until = key, time.monotonic() + self._seconds
        if time.monotonic() < self._until:
            return key
        given_up = {"_id": self._projection, "handing_over.id": key}
        self._pointers.update_one(given_up, {"$unset": {"handing_over": ""}})
        return ""


class Instructions:
    """The latest that one worker has read. ``handover`` is None for one that follows a generation before."""

    def __init__(self, store: Database[dict[str, Any]], projection: str, handover: Handover | None) -> None:
        self._store, self._projection, self._handover = store, projection, handover
        self.orders = Orders()
        self.rests_for = ""  # the id of a hand-over

    def read(self) -> bool:
        """Reads the pointer; answers whether the worker shall rest, or go on, otherwise than before."""
        before = self.rest
        self.orders = read_orders(self._store, self._projection)
        self.rests_for = self._handover.rests_for(self.orders) if self._handover else ""
        return self.rest != before

    @property
    def rest(self) -> str:
        """Why the worker applies nothing now; empty when it works."""
        if self.orders.paused:
            return PAUSED
        return HANDING_OVER if self.rests_for else ""
