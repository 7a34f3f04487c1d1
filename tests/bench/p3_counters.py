"""P3: counters, guarded by fences, against bare increments that count twice on replay."""

from __future__ import annotations

from tests.bench import events
from tests.bench.loops import increments
from tests.bench.measure import Measured, compared
from tests.bench.options import Options
from tests.bench.projecting import CATCHING_UP, bare_run, worker_run

ORDERS = 5_000


def measure(options: Options) -> Measured:
    heads = events.ready("acme.orders", events.sales(options.size(ORDERS)), options.say)
    return compared(
        options,
        {
            "worker": lambda: worker_run("sales_by_day", heads),
            "bare $inc loop": lambda: bare_run("sales_by_day", heads, increments()),
        },
        name="P3",
        what="events projected per second, counters (sales by day)",
        against="bare $inc, one per counter and event, in bulk writes",
        goal=1,
        notes="An order of five lines changes a dozen counters. The loop counts twice what comes twice, and sums "
        f"nothing within a batch.{CATCHING_UP}",
    )
