"""What a shop of P12 does: it makes its carts, and then publishes and projects some more at each line that it reads."""

from __future__ import annotations

import dataclasses
import itertools
import json
import os
import sys
from collections.abc import Iterator

from commands.outbox.publisher import Publisher
from tests.bench import events
from tests.bench.measure import Watch
from tests.bench.options import Options
from tests.bench.projecting import Stream, drive, worker_of

STEP = 5_000  # carts that are made at once on the way
TOPIC = "acme.carts"


def run(size: int, new: int) -> None:
    """With so many carts, until the end of standard input; ``new``: those of a round."""
    with worker_of("carts") as worker:
        drive(worker, _steps(size, new))


def _steps(size: int, new: int) -> Iterator[dict[Stream, int]]:
    """What the worker has to reach."""
    carts = events.Carts(seed=12)
    for made in range(0, size, STEP):
        yield events.ready(TOPIC, carts.fresh(min(STEP, size - made)), lambda line: None)
        Options.say(f"{min(size, made + STEP):,} of {size:,} carts")
    with Publisher(os.environ["KAFKA_BOOTSTRAP_SERVERS"]) as publisher:
        print("ready", flush=True)
        for _ in sys.stdin:
            yield from _round(carts, new, publisher)


def _round(carts: events.Carts, new: int, publisher: Publisher) -> Iterator[dict[Stream, int]]:
    some = itertools.chain(carts.second_line(new), carts.fresh(new))
    count = events.recorded(some, lambda line: None)
    publishing, projecting = Watch(), Watch()
    publishing.start()
    publisher.drain()
    publishing.stop()
    projecting.start()
    yield events.heads(TOPIC)
    projecting.stop()
    took = {"publisher": publishing.took(count), "worker": projecting.took(count)}
    print(json.dumps({name: dataclasses.asdict(one) for name, one in took.items()}), flush=True)
