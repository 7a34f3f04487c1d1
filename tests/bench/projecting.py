"""The two ways from Kafka to documents that P1 to P4 compare: the product's worker, and bare loops over a consumer.

Both are on the watch from the first records that a poll returns until the last document is written: joining a group is
nobody's matter here.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from acme.bus import Consumer, Reader, Record
from acme.ports import event_log, subject_keys
from projections.registry import PROJECTIONS
from projections.runtime.generations import prepare
from projections.runtime.runner import KafkaIdentities
from projections.runtime.settings import DEFAULT
from projections.runtime.worker import Worker
from queries.documents.connection import collection_name, database
from tests.bench.measure import Took, Watch

BATCH = 2_000
#: As an operator who catches up would have it; all else as it is.
SETTINGS = replace(DEFAULT, max_records=BATCH, log_records=BATCH, first_batch=BATCH, hang=600.0)
GENERATIONS = itertools.count(100)
CATCHING_UP = f" The worker takes up to {BATCH:,} events at once, as the loop does; as it is shipped it takes 400."
#: What says that contenders have made the same documents.
SUMS = {"carts": {"$sum": "$cart.version"}, "sales_by_day": {"$sum": "$orders"}}
_made: dict[tuple[str, int], Any] = {}

Stream = tuple[str, int]


class _Watched(Consumer):
    """Starts the watch with the first records."""

    watch: Watch

    def poll(self, timeout_seconds: float, max_records: int | None = None) -> dict[Stream, list[Record]]:
        found = super().poll(timeout_seconds, max_records)
        if found:
            self.watch.start()
        return found


@contextmanager
def worker_of(name: str, watch: Watch | None = None) -> Iterator[Worker]:
    """The product's worker on a new generation, which is dropped afterwards; with every guard, heartbeat and audit."""
    projection, store, bootstrap = PROJECTIONS[name], database(), os.environ["KAFKA_BOOTSTRAP_SERVERS"]
    generation, watch = next(GENERATIONS), watch or Watch()
    prepare(store, projection, generation)
    identities = KafkaIdentities(bootstrap)

    def consumer(group: str, topics: tuple[str, ...], on_assigned: Any, on_revoked: Any) -> Consumer:
        made = _Watched(bootstrap, group, topics, on_assigned=on_assigned, on_revoked=on_revoked)
        made.watch = watch
        return made

    try:
        yield Worker(projection, store, event_log(), subject_keys(), consumer, identities, SETTINGS, follows=generation)
    finally:
        identities.close()
        store[collection_name(name, generation)].drop()


def drive(worker: Worker, steps: Iterator[dict[Stream, int]]) -> None:
    """Runs it until it has reached the heads that ``steps`` yields, one after the other.

    What lies between two of them happens in the worker's own loop, which waits meanwhile.
    """
    wanted = next(steps)

    def done() -> bool:
        nonlocal wanted
        while _reached(worker, wanted):
            try:
                wanted = next(steps)
            except StopIteration:
                return True
        return False

    worker.run(threading.Event(), done)


def _reached(worker: Worker, wanted: dict[Stream, int]) -> bool:
    """Also no event at all is only reached when it has its partitions."""
    held = worker._part.applier.held if worker._part else {}
    return bool(held) and all(stream in held and held[stream].sequence >= last for stream, last in wanted.items())


def worker_run(name: str, heads: dict[Stream, int]) -> Took:
    """It fills the generation from its consumer group."""
    watch = Watch()
    with worker_of(name, watch) as worker:
        drive(worker, _until(heads, watch))
        check_same(name, sum(heads.values()), database()[collection_name(name, worker._follows or 1)])
    return watch.took(sum(heads.values()))


def check_same(name: str, events: int, collection: Any) -> None:
    """Raises unless these documents of so many events sum up to what those of the contender before did."""
    (found,) = collection.aggregate([{"$group": {"_id": None, "documents": {"$sum": 1}, "sum": SUMS[name]}}])
    expected = _made.setdefault((name, events), found)
    if found != expected:
        raise RuntimeError(f"contenders made different documents of {name}: {expected} and {found}")


def _until(heads: dict[Stream, int], watch: Watch) -> Iterator[dict[Stream, int]]:
    yield heads
    watch.stop()


#: Writes the documents of polled records, in their order.
Write = Callable[[Any, Iterable[Record]], None]


def bare_run(name: str, heads: dict[Stream, int], write: Write, *, at_most: int | None = None) -> Took:
    """A loop over a plain consumer of the same settings: poll, then ``write`` batches of the same size. No checkpoints:
    after a kill it would begin again, and what is not idempotent would be there twice.

    ``at_most``: so many events are enough, for what is slow.
    """
    store, watch = database(), Watch()
    projection, generation = PROJECTIONS[name], next(GENERATIONS)
    prepare(store, projection, generation)
    collection = store[collection_name(name, generation)]
    reader = Reader(os.environ["KAFKA_BOOTSTRAP_SERVERS"], heads)
    for topic, partition in heads:
        reader.seek(topic, partition, 0)
    wanted, done = min(sum(heads.values()), at_most or sum(heads.values())), 0
    while done < wanted:
        found = reader.poll(0.25)
        if found:
            watch.start()
        records = [record for some in found.values() for record in some]
        for start in range(0, len(records), BATCH):
            write(collection, records[start : start + BATCH])
        done += len(records)
    watch.stop()
    reader.close()
    if done == sum(heads.values()):
        check_same(name, done, collection)
    collection.drop()
    return watch.took(done)
