"""The whole stream on the watch, publisher and worker at once: from events without a number to documents."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from commands.outbox.models import DomainEvent
from projections.runtime.checkpoints import Stream
from tests.bench import events
from tests.bench.measure import Took, Watch
from tests.bench.projecting import drive, worker_of

PROJECT = Path(__file__).resolve().parents[2]


class Publishing:
    """A publisher in a process of its own that publishes what there is when it is told to."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        if self._line() != "ready":
            raise RuntimeError("the publisher of the benchmark does not start")

    def begin(self) -> None:
        if self._process.stdin:
            print("publish", file=self._process.stdin, flush=True)

    def ended(self) -> int:
        """Waits; answers how many were published."""
        return int(self._line())

    def cpu(self) -> float:
        """Seconds so far."""
        times = psutil.Process(self._process.pid).cpu_times()
        return times.user + times.system

    def _line(self) -> str:
        return self._process.stdout.readline().strip() if self._process.stdout else ""


@contextmanager
def publishing() -> Iterator[Publishing]:
    """Ready to be told."""
    command = [sys.executable, "-m", "tests.bench.publishing"]
    process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield Publishing(process)
    finally:
        process.terminate()
        process.wait(30)


def stream_run(name: str, topic: str, some: Iterable[events.Recorded]) -> Took:
    """A worker that has caught up waits for what a publisher, told at the start of the watch, brings it."""
    watch, began, used = Watch(), events.heads(topic), 0.0

    def steps(publisher: Publishing) -> Iterator[dict[Stream, int]]:
        nonlocal used
        yield began
        events.recorded(some, lambda line: None)
        wanted, used = _to_come(topic, began), publisher.cpu()
        watch.start()
        publisher.begin()
        yield wanted
        watch.stop()
        publisher.ended()
        used = publisher.cpu() - used

    with publishing() as publisher, worker_of(name) as worker:
        drive(worker, steps(publisher))
    took = watch.took(sum(events.heads(topic).values()) - sum(began.values()))
    return Took(took.units, took.seconds, took.cpu + used)


def _to_come(topic: str, began: dict[Stream, int]) -> dict[Stream, int]:
    """The heads when all is numbered."""
    waiting = DomainEvent.objects.filter(topic=topic, sequence=None).values_list("topic", "partition")
    return dict(Counter(began) + Counter(waiting))
