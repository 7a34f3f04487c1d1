"""P9: a generation filled from the log as a rebuild does, against the bare loop of P1 on the same events in Kafka.

Comparing the new generation with the log, and the swap, are not in it.
"""

from __future__ import annotations

from functools import partial

from tests.bench import events
from tests.bench.loops import cart_updates
from tests.bench.measure import Measured, in_turn, ratio_of, summary
from tests.bench.options import Options
from tests.bench.projecting import bare_run
from tests.bench.rebuilding import rebuild_run

DOCUMENTS = 40_000  # so that starting and ending processes is a small part, as in a rebuild that anybody waits for


def measure(options: Options) -> Measured:
    heads = events.ready("acme.carts", events.carts(options.size(DOCUMENTS), 2), options.say)
    took = in_turn(
        options.rounds,
        {
            "filled, one worker": lambda: rebuild_run("carts", heads, workers=1),
            "filled, two workers": lambda: rebuild_run("carts", heads, workers=2),
            "bare loop": lambda: bare_run("carts", heads, partial(cart_updates, ordered=False)),
        },
        options.say,
    )
    ratio, spread = ratio_of(took, "filled, one worker", "bare loop")
    two, _ = ratio_of(took, "filled, two workers", "filled, one worker")
    return Measured(
        name="P9",
        what="a generation filled from the log by one worker, events per second",
        against="the bare loop of P1 on the same events",
        ratio=ratio,
        spread=spread,
        goal=0.9,
        detail={"contenders": summary(took), "two_workers": round(two, 2)},
        notes=f"Two workers are {two:.2f} times as fast as one; PostgreSQL and the store share their two cores. "
        "Verifying and the swap are not in it; starting processes is in the CPU time. That no read fails or is empty "
        "meanwhile is shown by tests/integration/projections/rebuilding.",
    )
