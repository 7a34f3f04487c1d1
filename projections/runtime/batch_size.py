"""How many items a batch may have so that it does not take too long, whatever its items cost and its engines can do."""

from __future__ import annotations


class BatchSize:
    """Half as many after a batch that took too long, twice as many after a quick one that was full.

    Both are multiplicative: the cost of an item differs by two orders of magnitude (an order changes one document or a
    hundred counters), so steps of equal size would be too slow in one direction. Between ``longest`` and a quarter of
    it nothing changes, or a size that is right would swing.
    """

    def __init__(self, first: int, *, smallest: int, largest: int, longest: float) -> None:
        """``longest``: seconds that a batch should take at most."""
        self._first, self._smallest = min(first, largest), min(smallest, largest)
        self._largest, self._longest = largest, longest
        self.now = self._first

    def took(self, seconds: float, items: int) -> None:
        """How long a batch of so many items took."""
        if seconds > self._longest:
            self.now = max(self._smallest, self.now // 2)
        elif seconds < self._longest / 4 and items >= self.now:
            self.now = min(self._largest, self.now * 2)

    def begin_again(self) -> None:
        """As after a start: why the last batch failed is not known."""
        self.now = self._first
