"""One projection against both oracles: what `projector verify` and the nightly check do."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from pymongo.database import Database

from acme.ports import AggregateStates, EventLog, SubjectKeys
from projections.runtime.generations import live_of
from projections.runtime.projection import Projection
from projections.verification.against_log import PAUSE, AgainstLog, Difference, Verified
from projections.verification.against_tables import AgainstTables, Compared, is_id
from projections.verification.canonical import Document
from projections.verification.counts_against_tables import CountsAgainstTables
from queries.documents.connection import collection_name

#: (what is being done, how much of it, of how much; 0: nobody knows)
Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class Oracles:
    """The write side, read-only, through `acme.ports`."""

    log: EventLog
    states: AggregateStates
    keys: SubjectKeys


@dataclass(kw_only=True)
class Verification:
    """What was found of one generation. ``sampled``: only some documents were looked at."""

    projection: str
    generation: int
    sampled: bool
    log: Verified = field(default_factory=Verified)
    tables: Compared = field(default_factory=Compared)

    @property
    def differences(self) -> list[tuple[str, Difference]]:
        """With the oracle that says so: log or tables."""
        return [("log", d) for d in self.log.differences] + [("tables", d) for d in self.tables.differences]

    @property
    def aggregates(self) -> list[str]:
        """Those whose sections differ and can be made anew by a resync (``type:id``)."""
        found = {d.aggregate for _, d in self.differences if d.aggregate and d.kind in {"missing", "differs"}}
        return sorted(found)


def verify(
    store: Database[Document],
    oracles: Oracles,
    projection: Projection,
    *,
    sample: int | None = None,
    only: set[str] | None = None,
    also: Iterable[str] = (),
    generation: int | None = None,
    counted: int | None = None,
    pause: float = PAUSE,
    on_progress: Progress = lambda what, done, total: None,
) -> Verification:
    """All documents, ``only`` some, or a random ``sample`` of so many and ``also`` some. Raises engine failures.

    A sample is one of documents and one of aggregates that have a state table, so that a lost document can be in it.
    ``counted``: of so many aggregates at most (default: of all, or of a sample) what their events count is compared.
    """
    number = live_of(store, projection.name) if generation is None else generation
    result = Verification(projection=projection.name, generation=number, sampled=sample is not None)
    wanted, aggregates, most = only, only, counted
    if sample is not None:
        found: Any = store[collection_name(projection.name, number)].aggregate(
            [{"$sample": {"size": sample}}, {"$project": {"_id": 1}}]
        )
        wanted = {str(row["_id"]) for row in found} | set(also)
        aggregates = _some_aggregates(oracles.states, projection, sample) | set(also)
        most = sample if counted is None else counted
    log = AgainstLog(store, oracles.log, oracles.keys.unseal, projection, number, pause=pause)
    result.log = log.verify(wanted, lambda done, total: on_progress("log", done, total))
    tables = AgainstTables(store, oracles.states, projection, number, pause=pause)
    result.tables = tables.verify(aggregates, lambda done: on_progress("tables", done, 0))
    if only is None:
        counts = CountsAgainstTables(oracles.log, oracles.states, oracles.keys.unseal, projection)
        again = {UUID(key) for key in also if is_id(key)}

        def ids(aggregate_type: str) -> Iterable[UUID]:
            if most is None:
                return oracles.states.ids(aggregate_type)
            return {*some(oracles.states.ids(aggregate_type), most), *again}

        counts.verify(ids, result.tables, lambda done: on_progress("tables", done, 0))
    return result


def _some_aggregates(states: AggregateStates, projection: Projection, size: int) -> set[str]:
    """So many ids of each mirrored aggregate type."""
    mirrored = [section.aggregate for section in projection.sections.values() if section.mirrors_state]
    return {str(key) for aggregate in mirrored for key in some(states.ids(aggregate), size)}


def some(ids: Iterable[UUID], size: int) -> list[UUID]:
    """So many at random: reservoir sampling (Vitter, 1985, algorithm R)."""
    kept: list[UUID] = []
    for number, key in enumerate(ids):
        if number < size:
            kept.append(key)
        elif (place := random.randrange(number + 1)) < size:  # noqa: S311 - a sample, no secret
            kept[place] = key
    return kept
