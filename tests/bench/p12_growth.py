"""P12, the stream's half: what an event costs when there are ten times the documents and ten times the log."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.bench.engines import CannotMeasure
from tests.bench.measure import Measured, Took, in_turn, ratio_of, summary
from tests.bench.options import Options
from tests.bench.projecting import CATCHING_UP
from tests.bench.streaming import PROJECT
from tests.engines import ENGINES

DOCUMENTS, TIMES = 10_000, 10
ROUNDS = 2  # for each of the options': a round is short
ENDING = 60.0  # seconds
SMALL, LARGE = "at the size", f"at {TIMES} times"


class Shop:
    """A worker and a publisher with engines of their own, in a process that takes a round when it is told to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.published: list[Took] = []
        if self._line() != "ready":
            raise RuntimeError("a shop of the benchmark does not start")

    def round(self) -> Took:
        """What the worker took; what the publisher did is noted."""
        if self._process.stdin:
            print("round", file=self._process.stdin, flush=True)
        took = {name: Took(**one) for name, one in json.loads(self._line()).items()}
        self.published.append(took["publisher"])
        return took["worker"]

    def _line(self) -> str:
        return self._process.stdout.readline().strip() if self._process.stdout else ""


@contextmanager
def shop_of(carts: int) -> Iterator[Shop]:
    """Ready for its rounds. Its end of standard input ends it."""
    command = [sys.executable, "-m", "tests.bench.growing", str(carts)]
    process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Shop(process)
    finally:
        if process.stdin:
            process.stdin.close()
        process.wait(ENDING)


def _seconds(took: Took) -> float:
    return took.seconds / took.units


def measure(options: Options) -> Measured:
    if ENGINES.given:
        raise CannotMeasure("two shops are compared, each with engines of its own: leave those of the environment out")
    size = options.size(DOCUMENTS)
    with shop_of(TIMES * size) as large, shop_of(size) as small:
        shops = {LARGE: large, SMALL: small}
        rounds = {name: shop.round for name, shop in shops.items()}
        took = in_turn(ROUNDS * options.rounds, rounds, options.say)
    ratio, spread = ratio_of(took, LARGE, SMALL, _seconds)
    published = {name: shop.published[1:] for name, shop in shops.items()}
    publisher, _ = ratio_of(published, LARGE, SMALL, _seconds)
    return Measured(
        name="P12",
        what=f"time per projected event at {TIMES} times the documents and the log",
        against=f"itself with {size:,} documents",
        ratio=ratio,
        spread=spread,
        goal=1.2,
        better="lower",
        detail={"contenders": summary(took), "publisher": round(publisher, 3), "publishers": summary(published)},
        notes="Two shops with engines of their own take their rounds in turn. A third of the events is about old "
        "carts, and the smaller shop's worker has all of those in memory. The publisher's time per event at "
        f"{TIMES} times the log: {publisher:.2f} of that at the size.{CATCHING_UP}",
    )
