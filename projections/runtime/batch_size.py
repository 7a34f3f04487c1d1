"""How many items a batch may have so that it does not take too long, whatever its items cost and its engines can do."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class BatchSize:
    """Half as many after a batch that took too long, twice as many after a quick one that was full.

    Both are multiplicative: the cost of an item differs by two orders of magnitude (an order changes one document or a
    hundred counters), so steps of equal size would be too slow in one direction. Between ``longest`` and a quarter of
    it nothing changes, or a size that is right would swing.
    """

    def __init__(self, first: int, *, smallest: int, largest: int, longest: float) -> None:
        """``longest``: seconds that a batch should take at most."""
        self._smallest, self._largest, self._longest = min(smallest, largest), largest, longest
        self.now = min(first, largest)

    def took(self, seconds: float, items: int, allowed: int | None = None) -> None:
        """How long a batch of so many items took; one that broke off has none, and only tells that it took long.

        ``allowed``: how many it might have had, where it was polled while the one before was written: ``now`` may have
        changed since.
        """
        allowed = allowed or self.now
        if seconds > self._longest:
            self.now = max(self._smallest, min(self.now, allowed // 2))
        elif seconds < self._longest / 2 and items >= allowed:
            self.now = min(self._largest, max(self.now, allowed * 2))

    @contextmanager
    def timed(self, items: int, allowed: int | None = None) -> Iterator[None]:
        """Around the work on a batch of so many items."""
        started, done = time.monotonic(), 0
        try:
            yield
            done = items
        finally:
            self.took(time.monotonic() - started, done, allowed)
