"""Filling a generation as `projector rebuild` does: processes that share the partitions, from the log."""

from __future__ import annotations

from projections.rebuilding.children import fill_in_parallel
from projections.registry import PROJECTIONS
from projections.runtime.generations import prepare
from queries.documents.connection import collection_name, database
from tests.bench.measure import Took, Watch
from tests.bench.projecting import GENERATIONS, check_same

Stream = tuple[str, int]


def rebuild_run(name: str, heads: dict[Stream, int], *, workers: int) -> Took:
    """On the watch from the first document that is there until the processes have ended: starting Python is not what is
    measured."""
    projection, store, generation = PROJECTIONS[name], database(), next(GENERATIONS)
    prepare(store, projection, generation)
    watch, collection = Watch(), store[collection_name(name, generation)]

    def look() -> None:
        if collection.find_one({}, {"_id": 1}) is not None:
            watch.start()

    fill_in_parallel(name, generation, sorted(heads), source="log", bootstrap="", workers=workers, look=look)
    watch.stop()
    check_same(name, sum(heads.values()), collection)
    collection.drop()
    return watch.took(sum(heads.values()))
