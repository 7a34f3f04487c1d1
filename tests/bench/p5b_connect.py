"""P5b: the events of P1 from the same broker into the same store, by Kafka Connect with MongoDB's sink (JVM)."""

from __future__ import annotations

from itertools import count

from tests.bench import events
from tests.bench.measure import Measured, compared
from tests.bench.options import Options
from tests.bench.peers.kafka_connect import TASKS, connect_run
from tests.bench.projecting import CATCHING_UP, worker_run

DOCUMENTS = 50_000


def measure(options: Options) -> Measured:
    heads = events.ready("acme.carts", events.carts(options.size(DOCUMENTS), 2), options.say)
    last, numbers, total = events.last_aggregates(heads), count(1), sum(heads.values())
    return compared(
        options,
        {
            "worker": lambda: worker_run("carts", heads),
            "Kafka Connect": lambda: connect_run(next(numbers), "acme.carts", "cart_id", last, total),
        },
        name="P5b",
        what="events projected per second, entity documents",
        against="Kafka Connect 4.3 with MongoDB's sink 2.0.1",
        goal=1,
        notes="The sink replaces the document of each cart by its last event: no fold, no version that is guarded. It "
        f"has {TASKS} tasks on two cores and is on the watch from its first document on, in a fresh JVM each round; "
        f"the worker is one process and has all carts in memory.{CATCHING_UP}",
    )
