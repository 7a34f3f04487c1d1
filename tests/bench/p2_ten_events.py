"""P2: ten events per document, which the worker folds into one update and the bare loop writes one by one."""

from __future__ import annotations

from functools import partial

from tests.bench import events
from tests.bench.loops import cart_updates
from tests.bench.measure import Measured, compared
from tests.bench.options import Options
from tests.bench.projecting import CATCHING_UP, bare_run, worker_run

DOCUMENTS, EACH = 2_000, 10


def measure(options: Options) -> Measured:
    heads = events.ready("acme.carts", events.carts(options.size(DOCUMENTS), EACH), options.say)
    return compared(
        options,
        {
            "worker": lambda: worker_run("carts", heads),
            "bare loop": lambda: bare_run("carts", heads, partial(cart_updates, ordered=True)),
        },
        name="P2",
        what="events projected per second, ten events per document",
        against="the bare loop of P1, its bulk writes ordered",
        goal=3,
        notes=f"A cart's events follow each other in the log; the loop must keep their order.{CATCHING_UP}",
    )
