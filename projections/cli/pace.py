"""How fast a projection goes and when it will have caught up: from what was seen at several looks, nothing else."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any

#: Looks that are this much older than the last one no longer count: short enough to follow a change.
SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Pace:
    """``rate``: applied events/s (None: not measured yet). ``catch_up``: seconds; None where nobody can say.

    ``trend``: measuring, caught up, shrinking, steady, growing, or unknown (nobody reports the heads).
    """

    rate: float | None
    catch_up: float | None
    trend: str


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was seen of one projection: monotonic time in seconds, events applied and waiting."""

    at: float
    generation: int
    applied: int
    waiting: int
    known: bool


class Measurement:
    """The latest looks at one projection."""

    def __init__(self) -> None:
        self._looks: deque[Look] = deque()

    def add(self, row: dict[str, Any], at: float) -> Pace:
        """Adds a row of `status_rows` as it was seen at ``at`` and answers the pace until then."""
        look = Look(
            at=at,
            generation=row["generation"],
            applied=row["applied"],
            waiting=row["unnumbered"] + row["unacknowledged"] + row["unprojected"],
            known=row["lag"] == "known",
        )
        if self._looks and self._looks[-1].generation != look.generation:
            self._looks.clear()  # after a reset everything is counted from nothing
        self._looks.append(look)
        while self._looks[0].at < at - SECONDS and len(self._looks) > 2:
            self._looks.popleft()
        return pace(self._looks[0], look)


def pace(first: Look, last: Look) -> Pace:
    """Between two looks; the same one twice says that nothing is measured yet."""
    passed = last.at - first.at
    rate = max(0, last.applied - first.applied) / passed if passed > 0 else None
    shrunk = first.waiting - last.waiting
    if not last.known:
        return Pace(rate=rate, catch_up=None, trend="unknown")
    if last.waiting == 0:
        return Pace(rate=rate, catch_up=0.0, trend="caught up")
    if passed <= 0 or not first.known:
        return Pace(rate=rate, catch_up=None, trend="measuring")
    if shrunk <= 0:
        return Pace(rate=rate, catch_up=None, trend="growing" if shrunk else "steady")
    return Pace(rate=rate, catch_up=last.waiting * passed / shrunk, trend="shrinking")
