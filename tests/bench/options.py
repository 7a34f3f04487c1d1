"""What a benchmark is told: rounds, and a part of the full size for a quick look."""

from __future__ import annotations

import sys
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Options:
    """``scale``: 1 is the full size."""

    rounds: int
    scale: float

    def size(self, full: int) -> int:
        """The number of events or documents for a full size of so many."""
        return max(20, int(full * self.scale))

    @staticmethod
    def say(line: str) -> None:
        """Progress, for whoever waits."""
        print(f"  {line}", file=sys.stderr, flush=True)
