"""Metrics of a web server with several workers: each writes files into one directory, any of them adds them up.

prometheus-client chooses this mode by ``PROMETHEUS_MULTIPROC_DIR`` when it is imported, so the variable is set before
the workers are forked. A directory belongs to one server, which empties it at its start; what a dead worker counted
stays in it.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from pathlib import Path

import psutil

from acme.env import env

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
log = logging.getLogger(__name__)


def prepare() -> None:
    """In the server before it forks: an empty directory of its own; those of servers that are gone are removed."""
    place = env.home / "run" / "metrics"
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        for other in place.iterdir():
            if not (other.name.isdecimal() and psutil.pid_exists(int(other.name))):
                shutil.rmtree(other, ignore_errors=True)
        own = place / str(os.getpid())
        shutil.rmtree(own, ignore_errors=True)
        own.mkdir(mode=0o700)
    except OSError as error:
        own = Path(tempfile.mkdtemp(prefix="acme-metrics-"))
        log.warning("metrics are kept in %s: %s", own, error)
    os.environ[VARIABLE] = str(own)


def forget(pid: int) -> None:
    """In the server when a worker has ended: what it said of the present, if it did, is no longer true."""
    from prometheus_client.multiprocess import mark_process_dead

    mark_process_dead(pid)


def clean() -> None:
    """In the server when it ends."""
    directory = os.environ.get(VARIABLE)
    if directory is not None:
        shutil.rmtree(directory, ignore_errors=True)
