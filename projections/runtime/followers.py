"""Workers for the generations before, which are kept up to date after a swap so that it can be taken back.

They are workers like all others, with a consumer group of their own: one that fails holds up no live generation.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from pymongo.database import Database

from projections.runtime.failures import is_engine_failure
from projections.runtime.generations import POINTERS
from projections.runtime.projection import Projection
from queries.documents.connection import POINTER_SECONDS

logger = logging.getLogger(__name__)
LOOK = 1.0  # seconds between two looks at the pointers
#: Seconds after which no reader knows an older pointer. Before that the generation that was live must not get ahead of
#: the one that is: whoever still reads it would see something older at the next look.
READERS = 2 * POINTER_SECONDS
#: (projection, generation, stop): works until ``stop`` is set.
Follow = Callable[[Projection, int, threading.Event], None]


class Followers:
    """One thread for each generation that any pointer of these projections says is followed."""

    def __init__(self, store: Database[dict[str, Any]], projections: Iterable[Projection], follow: Follow) -> None:
        self._pointers = store[POINTERS]
        self._projections = {projection.name: projection for projection in projections}
        self._follow = follow
        self._wanted_since: dict[tuple[str, int], float] = {}
        self._running: dict[tuple[str, int], tuple[threading.Event, threading.Thread]] = {}

    def run(self, stop: threading.Event) -> None:
        """Until ``stop`` is set; all that was started has ended then."""
        while not stop.is_set():
            try:
                self._look()
            except Exception as error:
                if not is_engine_failure(error):
                    raise
                logger.warning("the pointers cannot be read: %s", type(error).__name__)
            stop.wait(LOOK)
        self._end(set(self._running))

    def _look(self) -> None:
        chosen = {"_id": {"$in": sorted(self._projections)}, "following": {"$gt": 0}}
        wanted = {(row["_id"], int(row["following"])) for row in self._pointers.find(chosen, {"following": 1})}
        self._end(self._running.keys() - wanted)
        now = time.monotonic()
        self._wanted_since = {place: self._wanted_since.get(place, now) for place in wanted}
        due = {place for place, since in self._wanted_since.items() if now - since > READERS}
        for name, generation in sorted(due - self._running.keys()):
            stop = threading.Event()
            thread = threading.Thread(
                target=self._follow,
                args=(self._projections[name], generation, stop),
                name=f"projector-{name}-g{generation}",
            )
            self._running[name, generation] = stop, thread
            logger.warning("%s: generation %d is kept up to date", name, generation)
            thread.start()

    def _end(self, over: Iterable[tuple[str, int]]) -> None:
        """Tells all of them first, since each has a batch to finish."""
        ending = [self._running.pop(place) for place in list(over)]
        for stop, _ in ending:
            stop.set()
        for _, thread in ending:
            thread.join()
