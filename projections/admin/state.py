"""How a projection stands, in one word and one sentence, from what the store says of it. `decide` is pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from projections.registry import PROJECTIONS
from projections.runtime.control import read_orders
from projections.runtime.generations import rebuild_due
from projections.runtime.heartbeat import ALIVE
from projections.runtime.letterbox import DISCARDED, LETTERS, Store
from projections.runtime.report import lag_rows

Row = dict[str, Any]
TOPIC_PREFIX = "acme."
UNBROKEN = "\u2060"  # word joiner: no line ends beside it


@dataclass(frozen=True, kw_only=True)
class WorkerLine:
    """One worker, as its last heartbeat tells it."""

    who: str
    state: str
    detail: str
    partitions: str
    blocked: tuple[str, ...]
    events_per_second: int
    seen_at: datetime
    alive: bool
    works: bool  # it holds partitions

    @property
    def short(self) -> str:
        """Its partitions without what all topics begin with."""
        return self.partitions.replace(TOPIC_PREFIX, "").replace("–", f"{UNBROKEN}–{UNBROKEN}")


@dataclass(frozen=True, kw_only=True)
class State:
    """``kind`` is one of running, paused, blocked, hanging, waiting, engine-down, nobody; ``said`` is for people."""

    kind: str
    said: str = ""
    since: datetime | None = None


def decide(paused: Row, workers: list[WorkerLine]) -> State:
    """What an operator has to know first."""
    alive = [worker for worker in workers if worker.alive and worker.state != "hanging"]
    lost = [worker for worker in workers if worker not in alive]
    if paused:
        why = f": {paused['reason']}" if paused.get("reason") else ""
        return State(kind="paused", said=f"by {paused.get('by') or 'somebody'}{why}", since=paused.get("at"))
    if not alive and lost:
        return State(kind="hanging", said=f"{_names(lost)} gives no sign of life", since=max(w.seen_at for w in lost))
    if not alive:
        return State(kind="nobody", said="no worker runs it")
    blocked = [why for worker in alive for why in worker.blocked]
    if blocked:
        return State(kind="blocked", said="; ".join(blocked))
    down = [worker for worker in alive if worker.state == "engine-down"]
    if down:
        return State(kind="engine-down", said=down[0].detail or "an engine cannot be reached; workers wait for it")
    if not any(worker.works for worker in alive):
        return State(kind="waiting", said="its workers have no partitions yet")
    if lost:
        return State(kind="running", said=f"{_names(lost)} gives no sign of life; others have taken over")
    return State(kind="running")


def _names(workers: Iterable[WorkerLine]) -> str:
    return ", ".join(worker.who for worker in workers)


def overview(store: Store, names: Iterable[str], *, now: datetime | None = None) -> list[Row]:
    """One row per projection: lag as in `report.lag_rows`, and state, workers, paused, gapped, rebuild_due."""
    return [_row(store, name, now or datetime.now(UTC)) for name in names]


def _row(store: Store, name: str, now: datetime) -> Row:
    declared, orders = PROJECTIONS[name], read_orders(store, name)
    mine = {"projection": name, "generation": orders.live}
    documents = store["projection_workers"].find(mine).sort("_id")
    workers = [worker_line(document, now) for document in documents]
    return {
        **lag_rows([declared])[0],
        "name": name,
        "version": declared.version,
        "rebuild_due": rebuild_due(store, declared),
        "state": decide(orders.paused, workers),
        "paused": orders.paused,
        "workers": workers,
        "gapped": len(store[LETTERS].distinct("aggregate", {**mine, "state": DISCARDED, "aggregate": {"$ne": None}})),
    }


def worker_line(document: Row, now: datetime) -> WorkerLine:
    """``now`` decides whether its lease has ended."""
    partitions = [(part["topic"], part["partition"]) for part in document.get("partitions") or ()]
    return WorkerLine(
        who=f"{document.get('host')}:{document.get('pid')}",
        state=document.get("state") or "",
        detail=document.get("detail") or "",
        partitions=ranges(partitions),
        blocked=tuple(
            f"{part['topic']}[{part['partition']}] {part.get('kind', '')}: {part.get('why', '')}"
            for part in document.get("blocked") or ()
        ),
        events_per_second=document.get("events_per_second") or 0,
        seen_at=document["seen_at"],
        alive=(document.get("lease_until") or document["seen_at"] + ALIVE) > now,
        works=bool(partitions),
    )


def ranges(partitions: Iterable[tuple[str, int]]) -> str:
    """ "acme.catalog 0–3, 7; acme.inventory 1"."""
    topics = groupby(sorted(partitions), key=lambda stream: stream[0])
    return "; ".join(f"{topic} {_runs([number for _, number in streams])}" for topic, streams in topics)


def _runs(numbers: list[int]) -> str:
    """Neighbours have the same distance to their place in the list."""
    runs = groupby(enumerate(numbers), key=lambda pair: pair[1] - pair[0])
    ends = [[number for _, number in run] for _, run in runs]
    return ", ".join(f"{run[0]}–{run[-1]}" if len(run) > 1 else str(run[0]) for run in ends)
