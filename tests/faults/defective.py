"""A projector with a defect, as a process: `python -m tests.faults.defective NAME… [options]`.

The handlers of prices and of confirmed orders raise for one kind of product: SKUs that begin with `POISON`. With
``--healthy`` they do not. ``--linger``: between documents and checkpoint of a retry it says so on stdout, and waits.
``--dawdle``: the same in each batch. ``--no-fence``: counters count whatever they are given, however often; it says
when one has counted, and waits for two seconds before its checkpoint.
"""

from __future__ import annotations

import argparse
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from projections.runtime.projection import Projection

POISON = "POISON"
LINGERS = "between documents and checkpoint"
COUNTED = "has counted: {}"
PAUSED_EVERY = 6.0  # seconds


def defective(projection: Projection, is_poison: Callable[[str], bool] = lambda sku: sku.startswith(POISON)) -> Any:
    """The projection with a handler that fails for some SKUs, half way through its changes."""

    def failing(handler: Any) -> Any:
        def handle(instance: Any, *arguments: Any) -> Any:
            event = arguments[-2]
            skus = [event.sku] if hasattr(event, "sku") else [line.sku for line in event.lines]
            if any(map(is_poison, skus)):
                if len(arguments) == 3:
                    arguments[0]["name"] = "half changed"
                raise ZeroDivisionError("there is no price for this one")
            return handler(instance, *arguments)

        return handle

    on = {n: failing(h) if n == "PriceSet" else h for n, h in projection.on.items()}
    counts = {n: failing(h) if n == "OrderConfirmed" else h for n, h in projection.counts.items()}
    return replace(projection, on=on, counts=counts)


def waits_before(owner: type, name: str, seconds: float) -> None:
    """From now on this process says where it is and waits, before each call of a method."""
    original = getattr(owner, name)

    def waiting(self: Any, *arguments: Any) -> None:
        print(LINGERS, flush=True)
        time.sleep(seconds)
        original(self, *arguments)

    setattr(owner, name, waiting)


def counts_everything() -> None:
    """From now on counters of this process do not look at their fences, and now and then there is time to kill it after
    counting; seldom enough that it keeps up with its load."""
    from projections.runtime.bulk import Bulk
    from projections.runtime.writes import CounterState

    original = CounterState.count

    def counting(self: CounterState, *arguments: Any) -> bool:
        stored, self.stored = self.stored, {}
        try:
            return original(self, *arguments)
        finally:
            self.stored = stored

    CounterState.count = counting  # type: ignore[method-assign]
    carry_out, paused = Bulk.carry_out, dict[str, float]()

    def carrying_out(self: Bulk, collection: Any) -> None:
        carry_out(self, collection)
        name = self._projection.name
        if self._counters and time.monotonic() > paused.get(name, 0.0) + PAUSED_EVERY:
            print(COUNTED.format(name), flush=True)
            time.sleep(2.0)
            paused[name] = time.monotonic()

    Bulk.carry_out = carrying_out  # type: ignore[method-assign]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "acme.settings")
    import django

    django.setup()
    from acme.env import env
    from projections.registry import PROJECTIONS
    from projections.runtime.checkpoints import Checkpoints
    from projections.runtime.recovery import Recovery
    from projections.runtime.runner import run_projections

    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="+")
    parser.add_argument("--healthy", action="store_true")
    parser.add_argument("--linger", type=float, default=0.0)
    parser.add_argument("--dawdle", type=float, default=0.0)
    parser.add_argument("--no-fence", action="store_true")
    options = parser.parse_args()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    if options.no_fence:
        counts_everything()
    if options.linger:
        waits_before(Recovery, "_move_checkpoints", options.linger)
    if options.dawdle:
        waits_before(Checkpoints, "advance", options.dawdle)
    chosen = [PROJECTIONS[name] for name in options.names]
    bootstrap = env.require("kafka_bootstrap_servers")
    run_projections(chosen if options.healthy else [defective(p) for p in chosen], bootstrap, stop)


if __name__ == "__main__":
    main()
