"""The worker's part of what operators ask: looks for open requests and carries out a few letters at a time.

Between two chunks the stream goes on, so a retry of ten thousand letters holds up nothing.
"""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.database import Database

from projections.runtime.applier import Applier
from projections.runtime.batch_size import BatchSize
from projections.runtime.bulk import CounterUnwritable, Unwritable
from projections.runtime.checkpoints import Stream
from projections.runtime.recovery import DocumentsAhead, Recovery, ResyncFailed
from projections.runtime.requests import DISCARD, DONE, FAILED, MARKING, REQUESTS, RESYNC, WAITING, count, is_open

logger = logging.getLogger(__name__)
#: A request whose letters were being marked when its process died is taken up after so long.
MARKING_GIVEN_UP = timedelta(minutes=30)  # a full queue of 100,000 may take 17 minutes
LONGEST_CHUNK = 0.3  # seconds: the stream waits meanwhile
SMALLEST_CHUNK = 20  # letters; a chunk takes ten commands anyway
#: Whether others still carry out a request is looked up for a tenth of the time: with many letters it is dear.
FINISH_SHARE = 10
#: Seconds that either of the two rests at most. A process that was suspended meanwhile measures hours.
LONGEST_REST = 10.0


class Operations:
    """Open requests of one projection's generation."""

    def __init__(self, store: Database[dict[str, Any]], applier: Applier, recovery: Recovery, at_once: int) -> None:
        self._store, self._applier, self._recovery, self._at_once = store, applier, recovery, at_once
        self._size = BatchSize(at_once, smallest=SMALLEST_CHUNK, largest=at_once, longest=LONGEST_CHUNK)
        self._next_chunk = self._next_finish = 0.0
        self._open: list[dict[str, Any]] = []

    def look(self) -> None:
        """Reads which requests are open."""
        requests, applier = self._store[REQUESTS], self._applier
        mine = {"projection": applier.projection.name, "generation": applier.generation}
        found = list(requests.find({**mine, "state": {"$in": [WAITING, MARKING]}}).sort("at", 1))
        given_up = datetime.now(UTC) - MARKING_GIVEN_UP
        self._open = [r for r in found if r["state"] == WAITING or r["at"] < given_up]

    @property
    def due(self) -> bool:
        """At most half of the time: what comes in the stream meanwhile has the other half, of the store too."""
        return time.monotonic() >= self._next_chunk

    def step(self, ready: set[Stream]) -> bool:
        """Carries out one chunk of the oldest request that has work in these partitions; False when there is none.

        Raises `Overtaken` and engine failures: then it is done again, after a reload.
        """
        ready = ready & self._applier.held.keys()  # one that waits for room may have been taken away meanwhile
        for request in list(self._open):
            if request["action"] == RESYNC:
                if (request["topic"], request["partition"]) in ready:
                    self._open.remove(request)
                    self._resync(request)
                    return True
                continue
            if self._chunk(request, ready):
                return True
            self._open.remove(request)
            self._finish(request)
        return False

    def _chunk(self, request: dict[str, Any], ready: set[Stream]) -> bool:
        """Some letters of the first partition that has any which can be carried out now."""
        not_yet = self._recovery.not_yet()
        for stream in sorted(ready):
            letters = self._applier.letters.in_request(request["_id"], stream, self._size.now, but=not_yet)
            if letters:
                started = time.monotonic()
                self._carry_out(request, letters)
                ended = time.monotonic()
                self._size.took(ended - started, len(letters))
                self._next_chunk = ended + min(ended - started, LONGEST_REST)
                return True
        return False

    def _carry_out(self, request: dict[str, Any], letters: list[dict[str, Any]]) -> None:
        try:
            if request["action"] == DISCARD:
                self._recovery.discard(letters, by=request["by"], reason=request["reason"])
            else:
                self._recovery.retry(letters)
        except (Unwritable, CounterUnwritable) as error:
            self._recovery.give_up(letters, error)

    def _finish(self, request: dict[str, Any]) -> None:
        """Closes a request of which no letter is left anywhere; those of partitions that others own keep it open."""
        if (now := time.monotonic()) < self._next_finish:
            return
        still_open = is_open(self._store, request)
        ended = time.monotonic()
        self._next_finish = ended + min(FINISH_SHARE * (ended - now), LONGEST_REST)
        if still_open:
            return
        counts = count(self._store, request)
        closed = {"state": DONE, "counts": counts}
        self._close(request, {**closed, "message": f"{counts['failed']} failed again" if counts["failed"] else ""})

    def _resync(self, request: dict[str, Any]) -> None:
        try:
            events = self._recovery.resync(request["aggregate"])
        except DocumentsAhead as error:
            logger.info("%s: request %s is done later: %s", self._applier.projection.name, request["_id"], error)
            return  # it stays open
        except ResyncFailed as error:
            counts = {"waiting": 0, "done": 0, "failed": 1, "held": 0}
            self._close(request, {"state": FAILED, "counts": counts, "message": str(error)})
            return
        self._applier.same_store()
        counts = {"waiting": 0, "done": 1, "failed": 0, "held": 0}
        self._close(request, {"state": DONE, "counts": counts, "message": f"made anew from {events} events"})

    def _close(self, request: dict[str, Any], values: dict[str, Any]) -> None:
        now = {"finished_at": datetime.now(UTC)}
        self._store[REQUESTS].update_one(
            {"_id": request["_id"], "state": request["state"]}, {"$set": {**values, **now}}
        )
        logger.warning(
            "%s: request %s (%s %s) is over: %s %s",
            self._applier.projection.name,
            request["_id"],
            request["action"],
            request["selection"],
            values["counts"],
            values["message"],
        )
