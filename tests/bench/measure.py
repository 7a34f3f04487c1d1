"""What a measure is: two or more contenders run in turn, several rounds, and the ratio of their medians per round.

Absolute times of shared machines prove nothing; the ratio within a round does, because both had the same neighbours.
"""

from __future__ import annotations

import gc
import resource
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.bench.options import Options

ROUNDS = 5


@dataclass(frozen=True)
class Took:
    """What one run of one contender took: ``units`` (events, documents, commands), seconds, CPU seconds of this process
    and its ended children."""

    units: int
    seconds: float
    cpu: float

    @property
    def rate(self) -> float:
        """Units per second."""
        return self.units / self.seconds

    @property
    def cpu_per_unit(self) -> float:
        """Microseconds."""
        return self.cpu / self.units * 1e6


@dataclass
class Watch:
    """A stop-watch that a contender starts and stops itself: what comes before and after (joining a group) is not its
    matter. Starting it twice keeps the first start."""

    begun: float | None = None
    seconds: float = 0.0
    cpu: float = 0.0
    _cpu_begun: float = 0.0

    def start(self) -> None:
        if self.begun is None:
            self._cpu_begun, self.begun = cpu_seconds(), time.perf_counter()

    def stop(self) -> None:
        if self.begun is None:
            raise RuntimeError("the watch was never started: the contender did nothing")
        self.seconds = time.perf_counter() - self.begun
        self.cpu = cpu_seconds() - self._cpu_begun

    def took(self, units: int) -> Took:
        return Took(units, self.seconds, self.cpu)


def cpu_seconds() -> float:
    """User and system time of this process and of its children that have ended."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(one.ru_utime + one.ru_stime for one in used)


@contextmanager
def watched() -> Iterator[Watch]:
    """The whole block."""
    watch = Watch()
    watch.start()
    yield watch
    watch.stop()


#: Runs once and says what it took.
Contender = Callable[[], Took]


def in_turn(rounds: int, contenders: Mapping[str, Contender], say: Callable[[str], None]) -> dict[str, list[Took]]:
    """Every contender once a round, the order reversed every other round; the first round is a rehearsal that does not
    count (caches, connections, compiled statements)."""
    took: dict[str, list[Took]] = {name: [] for name in contenders}
    for number in range(rounds + 1):
        names = list(contenders) if number % 2 else list(reversed(contenders))
        for name in names:
            gc.collect()
            one = contenders[name]()
            if number:
                took[name].append(one)
            say(f"round {number}/{rounds} {name}: {one.rate:,.0f}/s, {one.cpu_per_unit:.0f} µs CPU each")
    return took


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One line of the table. ``ratio``: median of the rounds' ratios; ``better``: on which side of the goal it should
    be; ``also``: whether what else belongs to the goal is reached; ``notes``: what a reader must know to judge it."""

    name: str
    what: str
    against: str
    ratio: float
    spread: tuple[float, float]
    goal: float
    better: str = "higher"
    also: bool = True
    detail: dict[str, Any] = field(default_factory=dict)
    notes: str = ""

    @property
    def ok(self) -> bool:
        return self.also and (self.ratio >= self.goal if self.better == "higher" else self.ratio <= self.goal)

    def as_json(self) -> dict[str, Any]:
        return {
            "what": self.what,
            "against": self.against,
            "ratio": round(self.ratio, 3),
            "spread": [round(edge, 3) for edge in self.spread],
            "goal": self.goal,
            "better": self.better,
            "ok": self.ok,
            "notes": self.notes,
            **self.detail,
        }


def ratio_of(
    took: Mapping[str, list[Took]], ours: str, theirs: str, of: Callable[[Took], float] = lambda took: took.rate
) -> tuple[float, tuple[float, float]]:
    """Median, lowest and highest of ours / theirs, round by round."""
    ratios = [of(mine) / of(other) for mine, other in zip(took[ours], took[theirs], strict=True)]
    return statistics.median(ratios), (min(ratios), max(ratios))


def compared(
    options: Options,
    contenders: Mapping[str, Contender],
    *,
    name: str,
    what: str,
    against: str,
    goal: float,
    notes: str = "",
    ours_too: Sequence[str] = (),
) -> Measured:
    """The first contender against the second, in units per second; others are run too and told in the notes.

    ``ours_too``: those of the others that are compared with the second as the first is.
    """
    took = in_turn(options.rounds, contenders, options.say)
    ours, theirs, *others = contenders
    ratio, spread = ratio_of(took, ours, theirs)
    detail: dict[str, Any] = {"contenders": summary(took)}
    for other in ours_too:
        others.remove(other)
        beside, (lowest, highest) = ratio_of(took, other, theirs)
        detail.setdefault("ratios_of_others", {})[other] = round(beside, 3)
        notes += f" {other[0].upper()}{other[1:]}: {beside:.2f} ({lowest:.2f} to {highest:.2f})."
    for other in others:
        beside, _ = ratio_of(took, ours, other)
        detail.setdefault("ratios_to_others", {})[other] = round(beside, 3)
        notes += f" Against {other}: {beside:.2f}."
    return Measured(
        name=name, what=what, against=against, ratio=ratio, spread=spread, goal=goal, detail=detail, notes=notes
    )


def summary(took: Mapping[str, list[Took]]) -> dict[str, Any]:
    """Per contender the medians of rate and CPU time, for the JSON."""
    return {
        name: {
            "per_second": round(statistics.median(one.rate for one in runs), 1),
            "cpu_us_per_unit": round(statistics.median(one.cpu_per_unit for one in runs), 1),
            "units": runs[0].units,
            "rounds": len(runs),
        }
        for name, runs in took.items()
    }
