"""The whole rebuild of one projection: fill, compare, swap. After a kill at any step another run goes on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from pymongo.database import Database

from projections.rebuilding.children import fill_in_parallel
from projections.rebuilding.fillers import LOG, filler_of
from projections.rebuilding.parity import Parity, compare, parked_aggregates
from projections.rebuilding.plan import all_streams, begin, leased
from projections.rebuilding.swap import Swap, follow_until_taken_over
from projections.runtime.checkpoints import Checkpoints, Stream
from projections.runtime.control import NotDone
from projections.runtime.failures import ENGINE_FAILURES
from projections.runtime.generations import POINTERS, sweep
from projections.runtime.projection import Projection
from projections.verification.verify import Oracles

Store = Database[dict[str, Any]]
#: (what is being done, how much of it, of how much; 0: nobody knows)
Progress = Callable[[str, int, int], None]


class Objected(Exception):
    """The generation was filled and does not go live; `parity` says what was found."""

    def __init__(self, parity: Parity, why: list[str]) -> None:
        super().__init__("; ".join(why))
        self.parity = parity


@dataclass(frozen=True, kw_only=True)
class Rebuilt:
    """What came of it. ``parity`` is None after a rollback. ``followed``: the generation before is kept up to date.

    ``taken_over``: workers have all partitions of what is live now, or the projection is paused. ``resumed``: another
    run had begun it.
    """

    projection: str
    live: int
    previous: int
    events: int
    followed: bool
    taken_over: bool
    resumed: bool = False
    parity: Parity | None = None


def rebuild(
    store: Store,
    oracles: Oracles,
    projection: Projection,
    *,
    source: str = LOG,
    workers: int = 2,
    by: str,
    bootstrap: str = "",
    accept: bool = False,
    before_swap: Callable[[], None] = lambda: None,
    on_progress: Progress = lambda what, done, total: None,
) -> Rebuilt:
    """Raises `Objected` (``accept``: only where the new generation itself is wrong), `NotDone`,
    `projections.rebuilding.children.ChildFailed`, `StreamBlocked`, engine failures and what ``before_swap`` raises,
    which is asked when all is ready; another run goes on then."""
    building = begin(store, oracles.log, projection, source=source, by=by)
    streams = all_streams(oracles.log, projection)
    with leased(store, projection, building) as check:
        look = _progress(store, oracles, projection, building.generation, on_progress)

        def look_and_check() -> None:
            check()
            look()

        fill_in_parallel(
            projection.name,
            building.generation,
            streams,
            source=source,
            bootstrap=bootstrap,
            workers=workers,
            look=look_and_check,
        )
        look()
        pointer = store[POINTERS].find_one({"_id": projection.name}) or {}
        parity = compare(
            store,
            oracles,
            projection,
            building.generation,
            int(pointer["live"]),
            streams,
            live_version=pointer.get("version"),
            on_progress=on_progress,
        )
        why = parity.objections + ([] if accept else parity.doubts)
        if why:
            raise Objected(parity, why)
        before_swap()
        made = _go_live(
            store,
            projection,
            pointer,
            streams,
            new=building.generation,
            version=projection.version,
            named={"building.generation": building.generation, "building.owner": building.owner},
            check=check,
        )
        return replace(made, resumed=building.resumed, parity=parity)


def roll_back(
    store: Store,
    oracles: Oracles,
    projection: Projection,
    *,
    accept: bool = False,
    before_swap: Callable[[], None] = lambda: None,
) -> Rebuilt:
    """The generation before goes live again, and what was live is kept in its place; brought up to date first.

    Raises like `rebuild`, and `NotDone` when there is none, or (unless ``accept``) when it has parked aggregates that
    readers see up to date now.
    """
    pointer = store[POINTERS].find_one({"_id": projection.name}) or {}
    previous = pointer.get("previous")
    if previous is None:
        raise NotDone(f"{projection.name} has no generation before the live one: there is nothing to go back to")
    streams = all_streams(oracles.log, projection)
    parked, parked_live = (
        parked_aggregates(Checkpoints(store, projection.name, int(generation)).load(streams))
        for generation in (previous, pointer["live"])
    )
    older = parked - parked_live
    if older and not accept:
        raise NotDone(
            f"generation {previous} has parked aggregates that the live one has not ({len(older):,}): readers would "
            f"see them as they were. For all that: manage.py projector rebuild {projection.name} --rollback "
            "--accept-differences"
        )
    before_swap()
    return _go_live(
        store,
        projection,
        pointer,
        streams,
        new=int(previous),
        version=pointer.get("previous_version"),
        named={"previous": previous},
    )


def _go_live(
    store: Store,
    projection: Projection,
    pointer: dict[str, Any],
    streams: list[Stream],
    *,
    new: int,
    version: int | None,
    named: dict[str, Any],
    check: Callable[[], None] = lambda: None,
) -> Rebuilt:
    """Swaps in the generation ``new``, made by that ``version`` of the code, if the pointer still says ``named``."""
    old = int(pointer["live"])
    change = {"version": version, "previous_version": pointer.get("version")}
    with filler_of(projection.name, new, streams, check=check) as filler:
        swap = Swap(store=store, projection=projection, old=old, new=new, named=named, change=change, filler=filler)
        followed = swap.make(check=check)
        filler.check = lambda: None  # there is no lease any more
        events = sum(checkpoint.sequence for checkpoint in filler.applier.held.values())
        taken_over = follow_until_taken_over(swap)
    with suppress(*ENGINE_FAILURES):  # the next swap or reset sweeps as well
        sweep(store, projection)
    return Rebuilt(
        projection=projection.name, live=new, previous=old, events=events, followed=followed, taken_over=taken_over
    )


def _progress(
    store: Store, oracles: Oracles, projection: Projection, generation: int, on_progress: Progress
) -> Callable[[], None]:
    """Says how many events are in, from the checkpoints: whoever has applied them."""
    total = sum(head.sequence for head in oracles.log.heads(projection.topics))
    rows = store["projection_checkpoints"]
    mine = {"projection": projection.name, "generation": generation}

    def look() -> None:
        with suppress(*ENGINE_FAILURES):  # whoever fills waits for the engine, and says so when it does not come back
            done = sum(row["sequence"] for row in rows.find(mine, {"sequence": 1}))
            on_progress("fill", done, max(total, done))

    return look
