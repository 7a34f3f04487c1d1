"""P1: entity documents with spread keys, the worker against a bare loop with one guarded update per event."""

from __future__ import annotations

from functools import partial

from tests.bench import events
from tests.bench.loops import cart_updates
from tests.bench.measure import Measured, compared
from tests.bench.options import Options
from tests.bench.projecting import CATCHING_UP, bare_run, worker_run

DOCUMENTS = 10_000


def measure(options: Options) -> Measured:
    heads = events.ready("acme.carts", events.carts(options.size(DOCUMENTS), 2), options.say)
    return compared(
        options,
        {
            "worker": lambda: worker_run("carts", heads),
            "bare loop": lambda: bare_run("carts", heads, partial(cart_updates, ordered=False)),
            "loop with inserts": lambda: bare_run("carts", heads, partial(cart_updates, ordered=False, inserts=True)),
        },
        name="P1",
        what="events projected per second, entity documents, spread keys",
        against="bare loop: poll, decode, one guarded update per event",
        goal=0.9,
        notes="The loop has no checkpoint: killed, it begins again. All carts fit into what the worker keeps in memory "
        f"(P12 is about more).{CATCHING_UP}",
    )
