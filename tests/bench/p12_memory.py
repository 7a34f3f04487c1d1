"""P12, the stream's half: memory of a worker that runs for a million events."""

from __future__ import annotations

import subprocess
import sys
import time

import psutil

from queries.documents.connection import database
from tests.bench import events
from tests.bench.measure import Measured
from tests.bench.options import Options
from tests.bench.streaming import PROJECT

EVENTS, PART = 1_000_000, 20_000
TOPIC = "acme.carts"
LONGEST = 120.0  # seconds for a part
WARM = 5  # a fifth of the way: caches are full by then


def measure(options: Options) -> Measured:
    parts = max(2 * WARM, options.size(EVENTS) // PART)
    carts, sizes = events.Carts(seed=13), []
    command = [sys.executable, "manage.py", "projector", "run", "carts"]
    process = subprocess.Popen(command, cwd=PROJECT)
    try:
        for number in range(parts):
            heads = events.ready(TOPIC, carts.more(-(-PART // 3)), lambda line: None)
            _wait(sum(heads.values()))
            sizes.append(psutil.Process(process.pid).memory_info().rss / 2**20)
            if number % WARM == 0:
                options.say(f"{sum(heads.values()):,} events, {sizes[-1]:.0f} MiB")
    finally:
        process.terminate()
        process.wait(30)
    warm, rest = sizes[parts // WARM], sizes[parts // WARM :]
    return Measured(
        name="P12M",
        what=f"memory of a worker after {sum(heads.values()):,} events",
        against="after a fifth of them",
        ratio=sizes[-1] / warm,
        spread=(min(rest) / warm, max(rest) / warm),
        goal=1.1,
        better="lower",
        detail={"mib": [round(size, 1) for size in sizes]},
        notes=f"{warm:.0f} MiB after a fifth, {sizes[-1]:.0f} MiB in the end; a process of `projector run`.",
    )


def _wait(applied: int) -> None:
    """Until the checkpoints have so many events."""
    ends = time.monotonic() + LONGEST
    checkpoints = database()["projection_checkpoints"]
    while sum(row["sequence"] for row in checkpoints.find({"_id": {"$regex": "^carts[|]1[|]"}})) < applied:
        if time.monotonic() > ends:
            raise TimeoutError(f"the worker is not there after {LONGEST:.0f} s")
        time.sleep(0.05)
