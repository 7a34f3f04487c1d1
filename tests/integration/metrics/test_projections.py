"""The projections' states, as a scrape shows them: from documents alone, unknown rather than zero, never hanging."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from acme.metrics import DECLARED
from projections.metrics import KINDS, PROJECTIONS_STATE
from projections.registry import PROJECTIONS
from tests.integration.metrics.conftest import Samples, Store, names, scrape

STATES = {one.name for one in DECLARED if one.kind == "state" and "projection" in one.labels}
SCRAPE = {"acme_scrape_collector_success", "acme_scrape_collector_seconds"}
NOW = datetime.now(UTC)


def of(name: str, projection: str = "stock", **labels: str) -> str:
    """A series of one projection, as it is written."""
    given = ",".join(f'{key}="{value}"' for key, value in sorted({"projection": projection, **labels}.items()))
    return f"acme_projection_{name}{{{given}}}"


def ago(seconds: float) -> datetime:
    return datetime.now(UTC) - timedelta(seconds=seconds)


class Bookkeeping:
    """Writes what workers write, for the projection `stock` (one topic) and its generation 1."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def pointer(self, **more: Any) -> None:
        row = {"_id": "stock", "live": 1, "topics": ["acme.inventory"], **more}
        self.store["projection_pointers"].replace_one({"_id": "stock"}, row, upsert=True)

    def heads(self, *, sequence: int, published: int, seen: float = 0.2) -> None:
        rows = [
            {
                "_id": f"acme.inventory|{partition}",
                "topic": "acme.inventory",
                "partition": partition,
                "sequence": sequence if partition == 0 else 0,
                "published": published if partition == 0 else 0,
                "log_epoch": 1,
                "seen_at": ago(seen),
            }
            for partition in range(8)
        ]
        self.store["stream_heads"].delete_many({})
        self.store["stream_heads"].insert_many(rows)

    def checkpoint(self, sequence: int, recorded: float = 0.0) -> None:
        place = {"projection": "stock", "generation": 1, "topic": "acme.inventory", "partition": 0}
        row = {**place, "sequence": sequence, "recorded_at": ago(recorded)}
        self.store["projection_checkpoints"].replace_one(place, row, upsert=True)

    def worker(self, pid: int, *, lease: float, seen: float = 0.5, thread: int = 1, **more: Any) -> None:
        """``lease``: seconds from now until it ends."""
        row = {"projection": "stock", "generation": 1, "host": "h", "pid": pid, "state": "running", "partitions": []}
        times = {"seen_at": ago(seen), "lease_until": ago(-lease)}
        self.store["projection_workers"].insert_one({"_id": f"stock|h|{pid}|{thread}", **row, **times, **more})

    def letter(self, sequence: int, *, first: float, state: str = "parked", generation: int = 1) -> None:
        row = {"projection": "stock", "generation": generation, "topic": "acme.inventory", "partition": 0}
        key = f"stock|{generation}|acme.inventory|0|{sequence}"
        times = {"first_at": ago(first), "last_at": ago(0)}
        self.store["projection_dead_letters"].insert_one(
            {"_id": key, **row, "sequence": sequence, "state": state, **times}
        )


@pytest.fixture
def books(store: Store) -> Bookkeeping:
    made = Bookkeeping(store)
    made.pointer()
    made.heads(sequence=5, published=5)
    made.checkpoint(5)
    return made


def shown() -> Samples:
    return scrape(PROJECTIONS_STATE)


def test_caught_up(books: Bookkeeping) -> None:
    books.worker(1, lease=10)
    samples = shown()
    assert samples[of("lag_known")] == 1
    assert samples[of("lag_seconds")] == 0
    for stage in ("unnumbered", "unacknowledged", "unprojected"):
        assert samples[of("lag_events", stage=stage)] == 0
    assert samples[of("parked_events")] == samples[of("parked_oldest_age_seconds")] == samples[of("paused")] == 0
    assert samples[of("workers")] == 1
    assert 0.4 < samples[of("heartbeat_age_seconds", worker="h:1")] < 5
    assert all(samples[of("blocked_partitions", kind=kind)] == 0 for kind in KINDS)
    assert names(samples) == STATES | SCRAPE, "every declared state is exported, and nothing else"
    assert samples['acme_scrape_collector_success{collector="projections"}'] == 1


def test_lag_by_stage(books: Bookkeeping) -> None:
    books.heads(sequence=12, published=9)
    books.checkpoint(5, recorded=30)
    books.store["outbox_backlog"].insert_one({"_id": "outbox", "events": 2, "oldest_recorded_at": ago(1)})
    samples = shown()
    stages = {
        stage: samples[of("lag_events", stage=stage)] for stage in ("unnumbered", "unacknowledged", "unprojected")
    }
    assert stages == {"unnumbered": 2, "unacknowledged": 3, "unprojected": 4}
    assert 30 <= samples[of("lag_seconds")] < 35


def test_unknown_lag_is_no_number(books: Bookkeeping) -> None:
    """Neither for heads that nobody refreshes nor for projections that never ran."""
    books.heads(sequence=5, published=5, seen=60)
    samples = shown()
    assert samples[of("lag_known")] == samples[of("lag_known", "orders")] == 0
    assert not names(samples) & {"acme_projection_lag_seconds", "acme_projection_lag_events"}


def test_parked_events_and_the_oldest_of_the_live_generation(books: Bookkeeping) -> None:
    books.letter(1, first=90)
    books.letter(2, first=40)
    books.letter(3, first=900, state="discarded")
    books.letter(4, first=900, generation=7)
    samples = shown()
    assert samples[of("parked_events")] == 2
    assert 90 <= samples[of("parked_oldest_age_seconds")] < 95
    assert samples[of("parked_events", "orders")] == 0


def test_blocked_partitions_by_kind(books: Bookkeeping) -> None:
    def blocked(partition: int, kind: str) -> dict[str, Any]:
        return {"topic": "acme.inventory", "partition": partition, "kind": kind, "why": "", "since": NOW}

    books.worker(1, lease=10, blocked=[blocked(0, "gap"), blocked(1, "gap"), blocked(2, "epoch")])
    books.worker(2, lease=10, blocked=[blocked(3, "queue-full")])
    books.worker(3, lease=-1, blocked=[blocked(4, "rewritten")])
    samples = shown()
    found = {kind: samples[of("blocked_partitions", kind=kind)] for kind in KINDS}
    assert found == {"gap": 2, "epoch": 1, "rewritten": 0, "queue-full": 1}, "what a dead worker said no longer counts"


def test_a_worker_whose_lease_has_ended_is_not_alive_but_its_heartbeat_is_shown(books: Bookkeeping) -> None:
    books.worker(1, lease=-30, seen=40)
    books.worker(2, lease=10, generation=2)
    samples = shown()
    assert samples[of("workers")] == 0
    assert 40 <= samples[of("heartbeat_age_seconds", worker="h:1")] < 45
    assert of("heartbeat_age_seconds", worker="h:2") not in samples, "of another generation"


def test_workers_of_one_process_are_one_series(books: Bookkeeping) -> None:
    """Prometheus refuses a scrape in which a series appears twice."""
    books.worker(1, lease=-20, seen=30)
    books.worker(1, lease=10, seen=2, thread=2)
    samples = shown()
    assert samples[of("workers")] == 1
    assert 2 <= samples[of("heartbeat_age_seconds", worker="h:1")] < 10


def test_paused(books: Bookkeeping) -> None:
    books.pointer(paused={"by": "somebody", "reason": "", "at": NOW})
    samples = shown()
    assert (samples[of("paused")], samples[of("paused", "orders")]) == (1, 0)


def test_an_empty_store_shows_every_projection(store: Store) -> None:
    samples = shown()
    for projection in PROJECTIONS:
        assert (samples[of("lag_known", projection)], samples[of("workers", projection)]) == (0, 0)


@pytest.mark.parametrize("name", ["silent", "gone"])
def test_a_store_that_is_down_is_said_in_time(
    name: str, request: pytest.FixtureRequest, point_mongodb: Callable[[str], None]
) -> None:
    point_mongodb(f"mongodb://{request.getfixturevalue(name)}/acme")
    started = time.monotonic()
    samples = shown()
    assert time.monotonic() - started < 2.5
    assert names(samples) == SCRAPE
    assert samples['acme_scrape_collector_success{collector="projections"}'] == 0


def test_the_next_scrape_after_an_outage_is_right(
    gone: str, mongo: str, mongo_database: str, point_mongodb: Callable[[str], None]
) -> None:
    point_mongodb(f"mongodb://{gone}/acme")
    assert names(shown()) == SCRAPE
    point_mongodb(f"{mongo.rpartition('/')[0]}/{mongo_database}")
    assert names(shown()) > SCRAPE
