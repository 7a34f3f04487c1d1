"""The parallel part of a rebuild: processes that fill some partitions each, and end with their parent.

Processes and not threads, because folding is Python and has one core in each process.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

import django

from acme.collector import tune_collector
from projections.runtime.checkpoints import Stream

ENDING = 5.0  # seconds for a process to end
LOOK = 0.2  # seconds between two looks at how far they are
DONE, REFUSED, UNREACHABLE, BROKEN = "done", "refused", "unreachable", "broken"


class ChildFailed(Exception):
    """``kind``: refused (the source lacks something), unreachable (an engine), broken (a mistake in the code)."""

    def __init__(self, kind: str, why: str) -> None:
        super().__init__(why)
        self.kind = kind


def fill_in_parallel(
    name: str,
    generation: int,
    streams: list[Stream],
    *,
    source: str,
    bootstrap: str,
    workers: int,
    look: Callable[[], None],
) -> None:
    """Fills all partitions up to the heads of now; ``look`` is called while that goes on, and ends it by raising.

    Raises `ChildFailed`: what has been filled stays.
    """
    context = multiprocessing.get_context("spawn")
    shares = [share for number in range(workers) if (share := streams[number::workers])]
    running: list[tuple[Any, Connection]] = []
    try:
        for share in shares:
            mine, theirs = context.Pipe(duplex=False)
            job = (name, generation, share, source, bootstrap, os.getpid(), theirs)
            process = context.Process(target=_child, args=job, name=f"rebuild-{name}", daemon=True)
            process.start()
            theirs.close()
            running.append((process, mine))
        while running:
            look()
            for process, mine in list(running):
                if mine.poll() or not process.is_alive():
                    running.remove((process, mine))
                    _take(process, mine)
            time.sleep(LOOK)
    finally:
        for process, _ in running:
            process.terminate()
            process.join(ENDING)
            process.kill()  # one that was suspended does not hear the first
            process.join()


def _take(process: Any, mine: Connection) -> None:
    try:
        kind, why = mine.recv()
    except EOFError:
        kind, why = BROKEN, f"a process that filled the generation ended with {process.exitcode}"
    process.join()
    if kind != DONE:
        raise ChildFailed(kind, why)


def _child(
    name: str, generation: int, streams: list[Stream], source: str, bootstrap: str, parent: int, answer: Connection
) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
    signal.signal(signal.SIGTERM, lambda *_: os._exit(1))  # between any two writes is fine
    django.setup()
    answer.send(_fill(name, generation, streams, source, bootstrap, parent))


def _fill(
    name: str, generation: int, streams: list[Stream], source: str, bootstrap: str, parent: int
) -> tuple[str, str]:
    from projections.rebuilding.fillers import filler_of  # models can be imported once Django is set up
    from projections.runtime.failures import is_engine_failure
    from projections.runtime.intake import StreamBlocked

    def check() -> None:
        if os.getppid() != parent:
            os._exit(1)

    tune_collector()
    try:
        with filler_of(name, generation, streams, source=source, bootstrap=bootstrap, check=check) as filler:
            filler.fill()
    except StreamBlocked as error:
        return REFUSED, str(error)
    except Exception as error:
        kind = UNREACHABLE if is_engine_failure(error) else BROKEN
        return kind, f"{type(error).__name__}: {error}"
    return DONE, ""
