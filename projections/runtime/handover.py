"""A worker's part of a swap of generations: it rests, and says so, while another generation is about to go live.

So nothing is written to the live generation any more between the last look at it and the change of the pointer, and no
reader sees something older afterwards. Whoever swaps may die in between: a worker rests for so many seconds at most,
and takes the note away before it goes on, so that a swap which wakes up later finds its note gone.
"""

from __future__ import annotations

import time
from typing import Any

from pymongo.database import Database

from projections.runtime.control import Orders
from projections.runtime.generations import POINTERS


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
