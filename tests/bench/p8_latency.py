"""P8: from a command's commit until a reader sees its document, one at a time, against the engines' own round trips.

Publisher and worker run as processes of their own, as operators run them (the command wakes a publisher of its own
process, too, as web servers do; one of the two has the lane); the floor is one commit of PostgreSQL, one
record through Kafka and one write of MongoDB, each measured alone, in turn with the other.
"""

from __future__ import annotations

import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from django.db import connection
from kafka import KafkaConsumer, KafkaProducer, TopicPartition

from acme.bus import Topics
from acme.bus.settings import CONSUMER, PRODUCER
from acme.contracts.topics import Topic
from acme.identity import Actor
from commands.carts.create_cart import CreateCart, create_cart
from commands.handling import execute
from queries.documents.connection import database, live_collection
from tests.bench.measure import Measured
from tests.bench.options import Options

PROJECT = Path(__file__).resolve().parents[2]
SAMPLES = 200  # a round
WARM = 3  # before each block, uncounted
LOOK = 0.0005  # seconds between two looks of the reader
LONGEST = 30.0  # seconds
GOAL_P50, GOAL_P99 = 2.0, 5.0
ROUND_TRIP = Topic(name="acme.bench", aggregates=(), partitions=1)


@contextmanager
def shop() -> Iterator[list[psutil.Process]]:
    """`relay` and `projector run carts`, until they have seen a first cart."""
    commands = (["relay"], ["projector", "run", "carts"])
    running = [subprocess.Popen([sys.executable, "manage.py", *one], cwd=PROJECT) for one in commands]
    try:
        seen(90)
        yield [psutil.Process(one.pid) for one in running]
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)


def seen(longest: float = LONGEST) -> float:
    """Seconds from the commit of a new cart until it is read."""
    done, _ = execute(create_cart, CreateCart(), actor=Actor())
    committed = time.perf_counter()
    key, carts = {"_id": str(done.id)}, live_collection("carts")
    while carts.find_one(key, {"_id": 1}) is None:
        if time.perf_counter() - committed > longest:
            raise TimeoutError(f"a cart was not seen after {longest:.0f} s")
        time.sleep(LOOK)
    return time.perf_counter() - committed


class Floor:
    """The three round trips that nobody can do without."""

    def __init__(self) -> None:
        bootstrap = os.environ["KAFKA_BOOTSTRAP_SERVERS"].split(",")
        topics = Topics(",".join(bootstrap))
        topics.ensure([ROUND_TRIP])
        topics.close()
        # A linger of 20 ms fills batches; a single record would only wait.
        self._producer = KafkaProducer(bootstrap_servers=bootstrap, **{**PRODUCER, "linger_ms": 0})
        self._consumer = KafkaConsumer(bootstrap_servers=bootstrap, **CONSUMER)
        partition = TopicPartition(ROUND_TRIP.name, 0)
        self._consumer.assign([partition])
        self._consumer.seek_to_end(partition)
        self._consumer.position(partition)
        self._documents = database()["bench_floor"]
        self._number = 0

    def commit(self) -> None:
        """One row, one transaction."""
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE IF NOT EXISTS bench_floor (number integer)") if self._number == 1 else None
            cursor.execute("INSERT INTO bench_floor VALUES (%s)", [self._number])

    def through_kafka(self) -> None:
        """Acknowledged, and read by somebody else."""
        self._producer.send(ROUND_TRIP.name, value=str(self._number).encode(), partition=0)
        while True:
            for records in self._consumer.poll(timeout_ms=1_000).values():
                if any(int(record.value) == self._number for record in records):
                    return

    def write(self) -> None:
        """One update, acknowledged by the majority."""
        self._documents.update_one({"_id": self._number % 100}, {"$set": {"number": self._number}}, upsert=True)

    def sample(self) -> float:
        """Seconds of the three, one after the other."""
        self._number += 1
        return sum(_seconds(act) for act in (self.commit, self.through_kafka, self.write))

    def close(self) -> None:
        self._producer.close()
        self._consumer.close()


def _seconds(act: Callable[[], Any]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def measure(options: Options) -> Measured:
    count = options.size(SAMPLES)
    p50s, p99s, used, shown = [], [], [], {}
    with shop() as processes:
        floor = Floor()
        for number in range(options.rounds + 1):
            for _ in range(WARM):  # engines and connections that were idle
                floor.sample()
            floors = sorted(floor.sample() for _ in range(count))
            for _ in range(WARM):
                seen()
            before = _cpu(processes)
            seens = sorted(seen() for _ in range(count))
            cpu = (_cpu(processes) - before) / count * 1e6
            line = {"floor": _percentiles(floors), "commit to visible": _percentiles(seens)}
            options.say(f"round {number}/{options.rounds} {line}")
            if number:
                p50s.append(line["commit to visible"]["p50_ms"] / line["floor"]["p50_ms"])
                p99s.append(line["commit to visible"]["p99_ms"] / line["floor"]["p99_ms"])
                used.append(cpu)
                shown = line
        floor.close()
    p99 = statistics.median(p99s)
    return Measured(
        name="P8",
        what="commit → visible in the read model, one at a time, p50 (p99: goal ≤ 5)",
        against="one PostgreSQL commit + one Kafka round trip + one MongoDB write",
        ratio=statistics.median(p50s),
        spread=(min(p50s), max(p50s)),
        goal=GOAL_P50,
        better="lower",
        also=p99 <= GOAL_P99,
        detail={
            "p99_ratio": round(p99, 2),
            "p99_goal": GOAL_P99,
            "last_round": shown,
            "contenders": {"publisher and worker": {"cpu_us_per_unit": round(statistics.median(used), 1)}},
        },
        notes=f"p99: {p99:.2f} times the floor's (goal ≤ {GOAL_P99:g}); {count} samples a round, medians of rounds.",
    )


def _percentiles(sorted_seconds: list[float]) -> dict[str, float]:
    """Milliseconds."""
    count = len(sorted_seconds)
    return {
        "p50_ms": round(sorted_seconds[count // 2] * 1000, 2),
        "p99_ms": round(sorted_seconds[math.ceil(count * 0.99) - 1] * 1000, 2),
    }


def _cpu(processes: list[psutil.Process]) -> float:
    """Seconds of all of them so far."""
    times = [process.cpu_times() for process in processes]
    return sum(one.user + one.system for one in times)
