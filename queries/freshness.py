"""Read-your-writes: a query with a consistency token waits until every read model that it uses has what was written.

For each read model and each aggregate of the token that one of its topics carries: the read model's own document of
the aggregate answers at once when its section has the version; otherwise `positions` says where in the stream the
version is, and the generation's checkpoint must have come as far. Order of looks: checkpoint, then stopped, then
document, all on the primary. A query without a token costs nothing.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from acme.token import Written, stream_of
from queries.documents.bookkeeping import PositionDocument
from queries.documents.connection import collection_name, database, live_generation
from queries.documents.lag import read_lag
from queries.reading import FIND_MS

FIRST_PAUSE, LONGEST_PAUSE = 0.002, 0.05  # seconds between two looks
#: (read model, aggregate type) → the section of the document with the aggregate's id that has its version.
OWN_SECTIONS = {
    ("products", "product"): "product",
    ("categories", "category"): "category",
    ("carts", "cart"): "cart",
    ("orders", "order"): "order",
    ("customers", "customer"): "customer",
    ("stock", "stock_item"): "item",
}
#: Every query may wait so long, in seconds; beyond that only a few of one process at the same time, because a made-up
#: token waits too and must not hold every thread.
FREE_SECONDS, LONG_WAITS = 2.0, 3

_long_waits = threading.BoundedSemaphore(LONG_WAITS)


@dataclass(kw_only=True)
class Wish:
    """One aggregate's version that one read model shall have. ``sequence``: where it is in the stream, once known."""

    read_model: str
    written: Written
    topic: str
    partition: int
    generation: int = 1
    sequence: int | None = None
    applied: int = 0


class Stopped(Exception):
    """A read model applies nothing more to an aggregate, from a version on that was asked for."""

    def __init__(self, read_model: str, aggregate: str, entry: dict[str, Any]) -> None:
        super().__init__(f"{read_model} stopped {aggregate} at version {entry['first_version']}")
        self.read_model, self.aggregate = read_model, aggregate
        self.version, self.event_type = entry["first_version"], entry.get("event_type")
        self.error = entry.get("error") or ""


@dataclass(frozen=True, kw_only=True)
class Freshness:
    """What came of the wait. ``events_behind`` is None when it is not known how many."""

    current: bool
    read_models: tuple[str, ...] = ()
    events_behind: int | None = None


def wait_until_fresh(
    written: Sequence[Written],
    read_models: Iterable[str],
    *,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Freshness:
    """Looks at once and again until all is there or the seconds are over. Raises `Stopped`, and pymongo's errors.

    It gives up after `FREE_SECONDS` when the process has `LONG_WAITS` longer waits already.
    """
    look = partial(_look, written, tuple(read_models), {})
    started = clock()
    missing = _look_until(look, started + min(seconds, FREE_SECONDS), clock, sleep)
    if missing and seconds > FREE_SECONDS and _long_waits.acquire(blocking=False):
        try:
            missing = _look_until(look, started + seconds, clock, sleep)
        finally:
            _long_waits.release()
    return _behind(missing) if missing else Freshness(current=True)


def _look_until(
    look: Callable[[], list[Wish]], deadline: float, clock: Callable[[], float], sleep: Callable[[float], None]
) -> list[Wish]:
    """What is still missing at the deadline; looks at least once."""
    pause = FIRST_PAUSE
    while True:
        missing = look()
        left = deadline - clock()
        if not missing or left <= 0:
            return missing
        sleep(min(pause, left))
        pause = min(pause * 1.5, LONGEST_PAUSE)


def _look(written: Sequence[Written], models: tuple[str, ...], known: dict[tuple[str, Written], int]) -> list[Wish]:
    """What is still missing. ``known`` keeps the sequences that `positions` has told, by read model and aggregate."""
    missing = _without_own_document(_wishes(written, models))
    if not missing:
        return []
    _locate(missing, known)
    _compare_checkpoints(missing)
    _raise_if_stopped(missing)
    behind = [wish for wish in missing if wish.sequence is None or wish.applied < wish.sequence]
    return _without_own_document(behind)


def _wishes(written: Sequence[Written], models: tuple[str, ...]) -> list[Wish]:
    """Reads the pointers anew. A read model that says no topics yet is behind on everything."""
    pointers = {p["_id"]: p for p in _find("projection_pointers", models)}
    wishes = []
    for model in models:
        pointer = pointers.get(model, {})
        generation, topics = int(pointer.get("live", 1)), pointer.get("topics") or ()
        if pointer and live_generation(model) != generation:
            live_generation(model, fresh=True)  # the query itself must read the generation that is looked at here
        for item in written:
            topic, partition = stream_of(item)
            if topic in topics or not topics:
                wish = Wish(read_model=model, written=item, topic=topic, partition=partition, generation=generation)
                wishes.append(wish)
    return wishes


def _without_own_document(wishes: list[Wish]) -> list[Wish]:
    """Those whose version the read model's own document does not show."""
    shown: dict[tuple[str, str], int] = {}
    for model in {wish.read_model for wish in wishes}:
        mine = [wish for wish in wishes if wish.read_model == model and _section(wish)]
        sections = {_section(wish) for wish in mine}
        if not mine:
            continue
        fields = {f"{section}.version": 1 for section in sections}
        ids = [str(wish.written.aggregate_id) for wish in mine]
        for found in _find(collection_name(model, mine[0].generation), ids, fields):
            for section in sections:
                shown[model, found["_id"]] = (found.get(section) or {}).get("version", 0)
    return [
        wish
        for wish in wishes
        if shown.get((wish.read_model, str(wish.written.aggregate_id)), 0) < wish.written.version
    ]


def _section(wish: Wish) -> str | None:
    return OWN_SECTIONS.get((wish.read_model, wish.written.aggregate_type))


def _locate(wishes: list[Wish], known: dict[tuple[str, Written], int]) -> None:
    """Asks `positions` where the versions are. A later version of the aggregate serves too: it comes after."""
    for wish in wishes:
        wish.sequence = known.get((wish.read_model, wish.written))
    open_wishes = [wish for wish in wishes if wish.sequence is None]
    if not open_wishes:
        return
    positions = collection_name(PositionDocument.projection, live_generation(PositionDocument.projection))
    found = {p["_id"]: p for p in _find(positions, {wish.written.key for wish in open_wishes})}
    for wish in open_wishes:
        position = found.get(wish.written.key)
        if position and position["version"] >= wish.written.version:
            wish.sequence = known[wish.read_model, wish.written] = position["sequence"]


def _compare_checkpoints(wishes: list[Wish]) -> None:
    checkpoints = {c["_id"]: c["sequence"] for c in _find("projection_checkpoints", {_stream_key(w) for w in wishes})}
    for wish in wishes:
        wish.applied = checkpoints.get(_stream_key(wish), 0)


def _stream_key(wish: Wish) -> str:
    return f"{wish.read_model}|{wish.generation}|{wish.topic}|{wish.partition}"


def _raise_if_stopped(wishes: list[Wish]) -> None:
    by_key = {f"{wish.read_model}|{wish.generation}|{wish.written.key}": wish for wish in wishes}
    for entry in _find("projection_stopped", set(by_key)):
        wish = by_key[entry["_id"]]
        if entry["first_version"] <= wish.written.version:
            raise Stopped(wish.read_model, wish.written.key, entry)


def _behind(missing: list[Wish]) -> Freshness:
    """How many events: exactly where all positions are known, else the read model's whole lag."""
    models = tuple(dict.fromkeys(wish.read_model for wish in missing))
    if all(wish.sequence is not None for wish in missing):
        events: int | None = max((wish.sequence or 0) - wish.applied for wish in missing)
    else:
        lags = [read_lag(model, count_letters=False) for model in models]
        events = None if any(lag.unknown for lag in lags) else max(lag.events for lag in lags)
    return Freshness(current=False, read_models=models, events_behind=events)


def _find(collection: str, ids: Iterable[str], fields: dict[str, int] | None = None) -> list[dict[str, Any]]:
    wanted = {"_id": {"$in": sorted(set(ids))}}
    return list(database()[collection].find(wanted, fields, max_time_ms=FIND_MS))
