"""A worker's lease, renewed by a thread of its own for as long as the worker's turns come to an end.

A turn that does not end (a handler in an endless loop, a call that never returns) is a worker that hangs: it looks
alive to the broker, so its lease is not renewed, its state says why, and its process ends itself. The broker then hands
its partitions to another worker, and whoever supervises the process starts it again.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.database import Database

from projections.runtime.failures import is_engine_failure
from projections.runtime.settings import WorkerSettings
from projections.runtime.writer import WRITER_THREADS

logger = logging.getLogger(__name__)
EXIT_HANGING = 70  # EX_SOFTWARE of sysexits.h


def end_process() -> None:
    """Ends this process at once: a thread that hangs cannot be stopped, and must not go on later."""
    os._exit(EXIT_HANGING)


class Watchdog:
    """Use as a context around a worker's loop, which calls `turned` whenever a turn has come to its end."""

    def __init__(
        self,
        store: Database[dict[str, Any]],
        key: str,
        settings: WorkerSettings,
        on_hang: Callable[[], None] = end_process,
    ) -> None:
        self._workers, self._key, self._settings = store["projection_workers"], key, settings
        self._on_hang = on_hang
        self._turned = time.monotonic()
        self._trouble = ""
        self._watched = threading.get_ident()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"lease-{key}", daemon=True)

    def __enter__(self) -> Watchdog:
        self._turned, self._watched = time.monotonic(), threading.get_ident()
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._stop.set()
        self._thread.join(self._settings.lease)

    def turned(self, trouble: str = "") -> None:
        """``trouble``: the engine's failure that the turn ended with; it is shown until a turn ends without."""
        self._turned, self._trouble = time.monotonic(), trouble

    def _run(self) -> None:
        while not self._stop.wait(self._settings.lease / 5):
            hanging = time.monotonic() - self._turned > self._settings.hang
            try:
                self._say(hanging)
            except Exception as error:
                if not is_engine_failure(error):
                    logger.exception("%s: the lease cannot be renewed", self._key)
            if hanging:
                logger.critical("%s hangs for more than %.0f s:\n%s", self._key, self._settings.hang, self._where())
                self._on_hang()
                return

    def _where(self) -> str:
        """What the watched thread does, and those that write for it."""
        frames = sys._current_frames()
        writers = [t.ident for t in threading.enumerate() if t.name.startswith(WRITER_THREADS)]
        found = [frames[ident] for ident in (self._watched, *writers) if ident in frames]
        return "\n".join("".join(traceback.format_stack(frame)) for frame in found)

    def _say(self, hanging: bool) -> None:
        """Renews the lease, or lets it go."""
        now = datetime.now(UTC)
        change: dict[str, Any] = {"lease_until": now + timedelta(seconds=self._settings.lease)}
        if hanging:
            change = {
                "lease_until": now,
                "state": "hanging",
                "detail": f"a turn takes more than {self._settings.hang} s",
            }
        elif self._trouble:
            change |= {"state": "engine-down", "detail": self._trouble}
        self._workers.update_one({"_id": self._key}, {"$set": change})
