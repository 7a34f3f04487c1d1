"""Python's cyclic garbage collector in processes that handle events by the thousand.

As it is, it looks through the youngest whenever 700 more containers live, and through older ones every tenth time. A
batch of two thousand records has tens of thousands: that was a third of a worker's time. Reference counting frees them.
"""

from __future__ import annotations

import gc

#: New containers until the youngest are looked at; and how often that happens until the older generations are.
THRESHOLDS = (50_000, 20, 20)


def tune_collector() -> None:
    """For the whole process, once all is imported, which is then never looked at again. Cycles are found as before,
    later."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*THRESHOLDS)
