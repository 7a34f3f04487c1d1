"""P12, the stream's half: what an event costs when there are ten times the documents and ten times the log."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.bench.engines import CannotMeasure
from tests.bench.measure import Measured, Took, in_turn, ratio_of, summary
from tests.bench.options import Options
from tests.bench.projecting import CATCHING_UP
from tests.bench.streaming import PROJECT
from tests.engines import ENGINES

DOCUMENTS, TIMES = 10_000, 10
NEW = 700  # carts a round, and as many old ones: about one batch of 2,000 events
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
        line = self._process.stdout.readline().strip() if self._process.stdout else ""
        if not line:
            raise RuntimeError("a shop of the benchmark has ended before its time: what it said is above")
        return line


@contextmanager
def shop_of(carts: int, new: int) -> Iterator[Shop]:
    """Ready for its rounds. Its end of standard input ends it, and its engines with it."""
    command = [sys.executable, "-m", "tests.bench.growing", str(carts), str(new)]
    process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Shop(process)
    finally:
        with suppress(BrokenPipeError):
            if process.stdin:
                process.stdin.close()
        try:
            process.wait(ENDING)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _seconds(took: Took) -> float:
    return took.seconds / took.units


def measure(options: Options) -> Measured:
    if ENGINES.given:
        raise CannotMeasure("two shops are compared, each with engines of its own: leave those of the environment out")
    size, new, rounds = options.size(DOCUMENTS), options.size(NEW), ROUNDS * options.rounds
    most = size + new * (rounds + 1)  # that the small one comes to: also then the large one has ten times as many
    with shop_of(TIMES * most, new) as large, shop_of(size, new) as small:
        shops = {LARGE: large, SMALL: small}
        took = in_turn(rounds, {name: shop.round for name, shop in shops.items()}, options.say)
    ratio, spread = ratio_of(took, LARGE, SMALL, _seconds)
    published = {name: shop.published[1:] for name, shop in shops.items()}
    publisher, _ = ratio_of(published, LARGE, SMALL, _seconds)
    return Measured(
        name="P12",
        what=f"time per projected event at {TIMES} times the documents and the log",
        against=f"itself with {size:,} to {most:,} documents",
        ratio=ratio,
        spread=spread,
        goal=1.2,
        better="lower",
        detail={"contenders": summary(took), "publisher": round(publisher, 3), "publishers": summary(published)},
        notes="Two shops with engines of their own take their rounds in turn. A third of the events is about old "
        "carts; the smaller shop's worker has all of those in memory, the larger one's as many of "
        f"{TIMES * most:,} as 40 MiB hold. The publisher's time per event at {TIMES} times the log: {publisher:.2f} of "
        f"that at the size.{CATCHING_UP}",
    )
