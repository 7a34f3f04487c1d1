"""P12, the stream's half: what an event costs when there are ten times the documents and ten times the log."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator

from commands.outbox.publisher import Publisher
from projections.runtime.checkpoints import Stream
from tests.bench import events
from tests.bench.measure import Measured, Took, Watch, summary
from tests.bench.options import Options
from tests.bench.projecting import CATCHING_UP, drive, worker_of

DOCUMENTS, TIMES = 10_000, 10
NEW = 700  # carts a round, which makes about one batch of 2,000 events
ROUNDS = 2  # for each of the options': a round is short
STEP = 5_000  # carts that are made at once on the way
TOPIC = "acme.carts"


class Growth:
    """One worker, first at the one size, then at the other."""

    def __init__(self, options: Options) -> None:
        self._options, self._carts = options, events.Carts(seed=12)
        self.worker: dict[str, list[Took]] = {"at the size": [], f"at {TIMES} times": []}
        self.publisher: dict[str, list[Took]] = {name: [] for name in self.worker}
        self._publisher = Publisher(os.environ["KAFKA_BOOTSTRAP_SERVERS"])

    def close(self) -> None:
        self._publisher.close()

    def steps(self) -> Iterator[dict[Stream, int]]:
        """What the worker has to reach."""
        made = 0
        for name, times in zip(self.worker, (1, TIMES), strict=True):
            wanted = times * self._options.size(DOCUMENTS)
            while made < wanted:
                step = min(STEP, wanted - made)
                yield events.ready(TOPIC, self._carts.more(step), lambda line: None)
                made += step
                self._options.say(f"{made:,} of {TIMES * self._options.size(DOCUMENTS):,} carts")
            for number in range(ROUNDS * self._options.rounds + 1):
                yield from self._round(name if number else "")
                made += NEW

    def _round(self, name: str) -> Iterator[dict[Stream, int]]:
        """Without a name it does not count."""
        count = events.recorded(self._carts.more(NEW), lambda line: None)
        publishing, projecting = Watch(), Watch()
        publishing.start()
        self._publisher.drain()
        publishing.stop()
        projecting.start()
        yield events.heads(TOPIC)
        projecting.stop()
        if name:
            self.publisher[name].append(publishing.took(count))
            self.worker[name].append(projecting.took(count))


def _growth(took: dict[str, list[Took]]) -> tuple[float, tuple[float, float]]:
    """Median seconds per event at the second size in those at the first; lowest and highest of the second."""
    small, large = ([one.seconds / one.units for one in runs] for runs in took.values())
    base = statistics.median(small)
    return statistics.median(large) / base, (min(large) / base, max(large) / base)


def measure(options: Options) -> Measured:
    growth = Growth(options)
    with worker_of("carts") as worker:
        drive(worker, growth.steps())
    growth.close()
    ratio, spread = _growth(growth.worker)
    publisher, _ = _growth(growth.publisher)
    return Measured(
        name="P12",
        what=f"time per projected event at {TIMES} times the documents and the log",
        against="itself before",
        ratio=ratio,
        spread=spread,
        goal=1.2,
        better="lower",
        detail={"contenders": summary(growth.worker), "publisher": round(publisher, 3)},
        notes=f"The publisher's time per event at {TIMES} times the log: {publisher:.2f} of that before. They come "
        f"one after the other, so the machine's mood is in it.{CATCHING_UP}",
    )
