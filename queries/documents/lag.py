"""Lag of one projection, computed from heads, checkpoints and heartbeats alone, so that the query side knows it too.

By stage: recorded but not numbered (the outbox, common to all), numbered but not acknowledged by Kafka, acknowledged
but not projected, parked. In events, and in seconds since the oldest event not yet applied was recorded.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from queries.documents.connection import database, live_generation
from queries.documents.dead_letters import parked

#: A head not refreshed for so long makes the lag unknown: nobody is looking.
HEAD_FRESH = timedelta(seconds=5)


@dataclass(frozen=True, kw_only=True)
class Lag:
    """One projection. ``unknown`` when the heads are stale. ``seconds`` is 0 when caught up.

    ``as_of`` is the moment up to which the read model is complete. It and ``seconds`` are None when something waits and
    nobody has said since when: the read model was never filled.
    """

    projection: str
    generation: int
    unknown: bool
    unnumbered: int
    unacknowledged: int
    unprojected: int
    stopped_aggregates: int
    seconds: float | None
    as_of: datetime | None
    parked: int = 0  # dead letters that wait for an operator
    parked_since: datetime | None = None  # when the oldest of them was parked

    @property
    def events(self) -> int:
        """Everything recorded and not yet applied, in this projection's topics (unnumbered: in all topics).

        Parked events are a stage of their own: they do not come by waiting.
        """
        return self.unnumbered + self.unacknowledged + self.unprojected


def compute_lag(
    projection: str,
    generation: int,
    *,
    topics: list[str],
    heads: list[dict[str, Any]],
    checkpoints: list[dict[str, Any]],
    workers: list[dict[str, Any]],
    backlog: dict[str, Any] | None,
    stopped: int,
    now: datetime,
) -> Lag:
    """Pure: all inputs are documents of `queries.documents.bookkeeping` as dicts."""
    mine = [head for head in heads if head["topic"] in topics]
    applied = {(c["topic"], c["partition"]): c for c in checkpoints}
    known = _next_recorded(workers)
    unacknowledged = unprojected = 0
    waiting: list[datetime | None] = []
    for head in mine:
        stream = (head["topic"], head["partition"])
        sequence = applied[stream]["sequence"] if stream in applied else 0
        unacknowledged += max(0, head["sequence"] - max(head["published"], sequence))
        unprojected += max(0, head["published"] - sequence)
        if head["sequence"] > sequence:
            waiting.append(known.get((*stream, sequence)) or (applied.get(stream) or {}).get("recorded_at"))
    unnumbered = backlog["events"] if backlog else 0
    if unnumbered and backlog and backlog.get("oldest_recorded_at"):
        waiting.append(backlog["oldest_recorded_at"])
    seen = min((head["seen_at"] for head in mine), default=None)
    unknown = seen is None or now - seen > HEAD_FRESH or {h["topic"] for h in mine} != set(topics)
    complete: list[datetime | None] = [head.get("complete_to") or head["seen_at"] for head in mine]
    oldest = _earliest(waiting)
    return Lag(
        projection=projection,
        generation=generation,
        unknown=unknown,
        unnumbered=unnumbered,
        unacknowledged=unacknowledged,
        unprojected=unprojected,
        stopped_aggregates=stopped,
        seconds=max(0.0, (now - oldest).total_seconds()) if oldest else None if waiting else 0.0,
        as_of=_earliest([*waiting, *complete]),
    )


def _earliest(moments: list[datetime | None]) -> datetime | None:
    """None when there is none, or one is not known."""
    known = [moment for moment in moments if moment is not None]
    return min(known) if known and len(known) == len(moments) else None


def _next_recorded(workers: list[dict[str, Any]]) -> dict[tuple[str, int, int], datetime]:
    """(topic, partition, checkpoint sequence) → when the event after it was recorded, or a moment before that."""
    found: dict[tuple[str, int, int], datetime] = {}
    for worker in workers:
        for part in worker.get("partitions", []):
            place = (part["topic"], part["partition"], part["sequence"])
            moment = part.get("oldest_unapplied_at") or worker.get("complete_to")
            if moment is not None:
                found[place] = max(moment, found.get(place, moment))
    return found


def read_lag(projection: str, *, now: datetime | None = None, count_letters: bool = True) -> Lag:
    """The lag of the live generation, from the store. Raises pymongo's errors when it cannot be reached.

    ``count_letters``: ``parked`` and ``parked_since`` too, which takes longer the more there are.
    """
    store = database()
    generation = live_generation(projection)
    pointer = store["projection_pointers"].find_one({"_id": projection}) or {}
    topics = list(pointer.get("topics", []))
    mine = {"projection": projection, "generation": generation}
    lag = compute_lag(
        projection,
        generation,
        topics=topics,
        heads=list(store["stream_heads"].find({"topic": {"$in": topics}})),
        checkpoints=list(store["projection_checkpoints"].find(mine)),
        workers=list(store["projection_workers"].find(mine)),
        backlog=store["outbox_backlog"].find_one({"_id": "outbox"}),
        stopped=store["projection_stopped"].count_documents(mine),
        now=now or datetime.now(UTC),
    )
    if not count_letters:
        return lag
    total = {"_id": None, "letters": {"$sum": 1}, "oldest_at": {"$min": "$first_at"}}
    for chosen in parked(store, projection, generation):
        for row in store["projection_dead_letters"].aggregate([{"$match": chosen}, {"$group": total}]):
            since = min(row["oldest_at"], lag.parked_since or row["oldest_at"])
            lag = replace(lag, parked=lag.parked + row["letters"], parked_since=since)
    return lag
