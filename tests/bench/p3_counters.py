"""P3: counters, guarded by fences, against bare increments that count twice on replay."""

from __future__ import annotations

from tests.bench import events
from tests.bench.loops import increments
from tests.bench.measure import Measured, in_turn, ratio_of, summary
from tests.bench.options import Options
from tests.bench.projecting import bare_run, worker_run

ORDERS = 5_000


def measure(options: Options) -> Measured:
    events.recorded(events.sales(options.size(ORDERS)), options.say)
    events.published()
    heads = events.heads("acme.orders")
    took = in_turn(
        options.rounds,
        {
            "worker": lambda: worker_run("sales_by_day", heads),
            "bare $inc loop": lambda: bare_run("sales_by_day", heads, increments()),
        },
        options.say,
    )
    ratio, spread = ratio_of(took, "worker", "bare $inc loop")
    return Measured(
        name="P3",
        what="events projected per second, counters (sales by day)",
        against="bare $inc, one per counter and event, in bulk writes",
        ratio=ratio,
        spread=spread,
        goal=1,
        detail={"contenders": summary(took)},
        notes="An order of five lines changes a dozen counters. The loop counts twice what comes twice.",
    )
