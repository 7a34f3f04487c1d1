"""A projector with a defect, as a process: `python -m tests.faults.defective NAME… [--healthy] [--linger SECONDS]`.

The handlers of prices and of confirmed orders raise for one kind of product: SKUs that begin with `POISON`. With
``--healthy`` they do not. ``--linger``: between documents and checkpoint of a retry it says so on stdout, and waits.
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


def linger(seconds: float) -> None:
    """From now on retries in this process wait at the worst place to be killed at."""
    from projections.runtime.recovery import Recovery

    original = Recovery._move_checkpoints

    def lingering(self: Recovery, aggregates: Any) -> None:
        print(LINGERS, flush=True)
        time.sleep(seconds)
        original(self, aggregates)

    Recovery._move_checkpoints = lingering  # type: ignore[method-assign]


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "acme.settings")
    import django

    django.setup()
    from acme.env import env
    from projections.registry import PROJECTIONS
    from projections.runtime.runner import run_projections

    parser = argparse.ArgumentParser()
    parser.add_argument("names", nargs="+")
    parser.add_argument("--healthy", action="store_true")
    parser.add_argument("--linger", type=float, default=0.0)
    options = parser.parse_args()
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    if options.linger:
        linger(options.linger)
    chosen = [PROJECTIONS[name] for name in options.names]
    bootstrap = env.require("kafka_bootstrap_servers")
    run_projections(chosen if options.healthy else [defective(p) for p in chosen], bootstrap, stop)


if __name__ == "__main__":
    main()
