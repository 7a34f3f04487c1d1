"""Another generation goes live: one change of the pointer, made when its checkpoints are at or past the live ones.

The live workers rest while it is made (`projections.runtime.instructions`), so nothing that a reader has seen is
missing in what it sees next. A kill at any moment leaves one generation live and both complete: the note of the
hand-over is given up by the workers, the generation on its way is taken up by the next run.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from pymongo.database import Database
from uuid6 import uuid7

from acme.ports import StreamHead
from projections.rebuilding.fill import Filler
from projections.rebuilding.resting import Resting
from projections.runtime.checkpoints import Checkpoint, Checkpoints, Stream
from projections.runtime.control import NotDone
from projections.runtime.documents import Overtaken
from projections.runtime.failures import ENGINE_FAILURES
from projections.runtime.followers import READERS
from projections.runtime.generations import POINTERS, sweep
from projections.runtime.heartbeat import alive
from projections.runtime.intake import StreamBlocked
from projections.runtime.projection import Projection
from projections.runtime.requests import fail_open
from projections.runtime.settings import DEFAULT

logger = logging.getLogger(__name__)
TRIES = 3
PATIENCE = DEFAULT.handover / 2  # seconds for workers to rest, in each try; they rest for longer
LOOK = 0.05  # seconds
TAKEN_OVER = 30.0  # seconds that workers may take to get the partitions of what is live now

Store = Database[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Swap:
    """From the live generation ``old`` to ``new``, which the filler brings forward.

    ``named``: what the pointer must still say besides; ``change``: what it says afterwards besides the generations.
    """

    store: Store
    projection: Projection
    old: int
    new: int
    named: dict[str, Any]
    change: dict[str, Any]
    filler: Filler

    def make(self, *, check: Callable[[], None] = lambda: None) -> bool:
        """Answers whether the old one is followed from now on. Raises `NotDone` when workers do not rest, or the
        pointer says something else than before; engine failures and `StreamBlocked` like the filler."""
        resting = Resting(self.store, self.projection.name, self.old)
        for _ in range(TRIES):
            check()
            self.filler.fill()
            key, until = str(uuid7()), time.monotonic() + PATIENCE
            self._note(key)
            try:
                if self._rest(resting, key, until):
                    return self._change(key)
            except Overtaken:  # the store went back, a worker that follows it was faster, or the note was taken away
                self.filler.forget()
            finally:
                self._give_up(key)
        raise NotDone(
            f"the workers of {self.projection.name} could not be brought to rest in {TRIES} tries of {PATIENCE:.0f} s: "
            f"generation {self.new} is complete and not live. Look at projector status, then run it again"
        )

    def _note(self, key: str) -> None:
        mine = {"_id": self.projection.name, "live": self.old, **self.named}
        note = {"handing_over": {"id": key, "to": self.new, "at": datetime.now(UTC)}}
        if not self.store[POINTERS].update_one(mine, {"$set": note}).matched_count:
            raise NotDone(f"{self.projection.name} was switched to another generation meanwhile: look at its status")

    def _give_up(self, key: str) -> None:
        mine = {"_id": self.projection.name, "handing_over.id": key}
        self.store[POINTERS].update_one(mine, {"$unset": {"handing_over": ""}})

    def _rest(self, resting: Resting, key: str, until: float) -> bool:
        """Whether all workers of the live generation that are alive have said in time that they rest."""
        while time.monotonic() < until:
            if resting.all_rest(key):
                return True
            self.filler.fill()
            time.sleep(LOOK)
        return False

    def _change(self, key: str) -> bool:
        """Nothing is written to the live generation now: the last events, places in Kafka, the pointer."""
        self.filler.fill()
        self.filler.applier.same_store()
        live = Checkpoints(self.store, self.projection.name, self.old).load(self.filler.streams)
        new = self.filler.applier.checkpoints.load(self.filler.streams)
        same_log = at_or_past(new, live, self.filler.heads())
        if same_log:
            self._place(new, live)
        now = datetime.now(UTC)
        note: dict[str, Any] = {"live": self.new, "previous": self.old, "swapped_at": now, **self.change}
        gone = {"handing_over": ""}
        if any(field.startswith("building.") for field in self.named):  # a rollback leaves an unfinished rebuild alone
            gone["building"] = ""
        if same_log:
            note["following"] = self.old
        else:  # its log is no more: nothing can be added to it
            gone["following"] = ""
        mine = {"_id": self.projection.name, "live": self.old, "handing_over.id": key, **self.named}
        if not self.store[POINTERS].update_one(mine, {"$set": note, "$unset": gone}).matched_count:
            raise Overtaken(f"the workers of {self.projection.name} have gone on, or its pointer was changed")
        if not same_log:
            fail_open(self.store, self.projection.name, self.old, "another generation went live")
        return same_log

    def _place(self, new: dict[Stream, Checkpoint], live: dict[Stream, Checkpoint]) -> None:
        """Workers shall not read Kafka from its beginning: the live generation knows how far it has been read."""
        placed = {
            stream: replace(new[stream], offset=known.offset, topic_identity=known.topic_identity)
            for stream, known in live.items()
            if known.offset >= 0 and new[stream].event_id and new[stream].topic_identity != known.topic_identity
        }
        self.filler.applier.checkpoints.place((new[stream], after) for stream, after in placed.items())
        self.filler.refresh()  # what it writes from now on keeps these places


def at_or_past(new: dict[Stream, Checkpoint], live: dict[Stream, Checkpoint], heads: dict[Stream, StreamHead]) -> bool:
    """True when everywhere; False when the live ones are of an older log epoch, so that nobody can compare.

    Raises `NotDone` when the live ones have what the log does not have, or the new ones are of an older epoch.
    """
    if any(c.log_epoch not in (None, heads[stream].log_epoch) for stream, c in new.items()):
        raise NotDone("the generation is of an older log epoch: it cannot go live again, rebuild it")
    if any(c.log_epoch is not None and c.log_epoch < heads[stream].log_epoch for stream, c in live.items()):
        return False
    for stream, checkpoint in live.items():
        if new[stream].sequence < checkpoint.sequence:
            raise NotDone(
                f"{stream[0]}[{stream[1]}]: the live generation has sequence {checkpoint.sequence}, the log ends at "
                f"{heads[stream].sequence}. PostgreSQL was restored: start a new epoch first (relay --new-epoch)"
            )
    return True


def follow_until_taken_over(swap: Swap) -> bool:
    """Keeps what is live now up to date until workers have all its partitions; False when none come.

    The swap is made: an engine that is away, or a partition that cannot go on, is the workers' trouble from now on.
    """
    try:
        return _follow(swap)
    except (Overtaken, StreamBlocked, KeyboardInterrupt, *ENGINE_FAILURES) as error:
        why = str(error) or "ended by hand"
        logger.warning("%s: swapped; not followed until workers come: %s", swap.projection.name, why)
        return False


def _follow(swap: Swap) -> bool:
    store, name, deadline = swap.store, swap.projection.name, time.monotonic() + TAKEN_OVER
    nobody_since = time.monotonic()
    while time.monotonic() < deadline:
        if (store[POINTERS].find_one({"_id": name}, {"paused": 1, "live": 1}) or {}).get("paused"):
            return True
        now = datetime.now(UTC)
        workers = list(store["projection_workers"].find({"projection": name, **alive(now)}))
        held = {(p["topic"], p["partition"]) for w in workers if w["generation"] == swap.new for p in w["partitions"]}
        swap.filler.leave(held)
        if not swap.filler.streams:
            return True
        swap.filler.fill()
        if workers:
            nobody_since = time.monotonic()
        elif time.monotonic() - nobody_since > READERS:
            return False
        time.sleep(LOOK)
    return False


def drop_previous(store: Store, projection: Projection, *, sleep: Callable[[float], None] = time.sleep) -> list[int]:
    """Drops the generation before (and what else the pointer does not name); answers their numbers.

    Raises `NotDone` when there is none.
    """
    pointer = store[POINTERS].find_one({"_id": projection.name}) or {}
    if pointer.get("previous") is None:
        sleep(READERS)
        if left := sweep(store, projection):  # by one that was broken off
            return left
        raise NotDone(f"{projection.name} has no generation before the live one: there is nothing to drop")
    mine = {"_id": projection.name, "live": pointer["live"], "previous": pointer["previous"]}
    gone = {"previous": "", "previous_version": "", "following": ""}
    if not store[POINTERS].update_one(mine, {"$unset": gone}).matched_count:
        raise NotDone(f"{projection.name} was switched to another generation meanwhile: look at its status")
    sleep(READERS)  # readers that know an older pointer
    followers = {"projection": projection.name, "generation": pointer["previous"]}
    until = time.monotonic() + TAKEN_OVER
    while time.monotonic() < until and store["projection_workers"].find_one({**followers, **alive(datetime.now(UTC))}):
        sleep(LOOK)
    return sweep(store, projection)
