"""How a process shows its metrics: what belongs into one scrape, and the port on which a daemon answers it.

State is asked for at scrape time, each source in a thread of its own and with a time limit: a scrape never fails or
hangs because an engine is down, it says so (``acme_scrape_collector_success``).
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from wsgiref.simple_server import WSGIServer

from django.utils.module_loading import import_string
from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import REGISTRY, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from acme.env import env
from acme.metrics import COLLECTOR_SECONDS, COLLECTOR_SUCCESS

log = logging.getLogger(__name__)

#: How long a scrape waits for all sources together; Prometheus itself gives up after ten.
SECONDS = 2.0
#: The sources of each side by name, because this room knows neither.
READ_SIDE = "projections.metrics.PROJECTIONS_STATE"
WRITE_SIDE = "commands.outbox.metrics.OUTBOX_STATE"


@dataclass(frozen=True)
class Source:
    """Part of the state: ``read`` asks an engine and may raise whatever it likes, or take too long."""

    name: str
    read: Callable[[], list[Metric]]


def source(name: str) -> Source:
    """The source behind a dotted name."""
    found: Source = import_string(name)
    return found


class StateCollector:
    """Asks all sources at once when it is scraped; never asks a source again that has not answered yet."""

    def __init__(self, *sources: Source) -> None:
        self._sources = sources
        self._under_way: dict[str, tuple[float, Future[list[Metric]]]] = {}
        self._failing: set[str] = set()
        self._lock = threading.Lock()

    def collect(self) -> Iterator[Metric]:
        success, seconds = COLLECTOR_SUCCESS.family(), COLLECTOR_SECONDS.family()
        for asked, (started, future) in [(one, self._ask(one)) for one in self._sources]:
            try:
                yield from future.result(timeout=max(0.0, started + SECONDS - time.monotonic()))
                self._failing.discard(asked.name)
            except Exception as error:
                success.add_metric([asked.name], 0)
                self._say(asked.name, error)
            else:
                success.add_metric([asked.name], 1)
            seconds.add_metric([asked.name], time.monotonic() - started)
        yield success
        yield seconds

    def _ask(self, asked: Source) -> tuple[float, Future[list[Metric]]]:
        with self._lock:
            running = self._under_way.get(asked.name)
            if running is None or running[1].done():
                running = self._under_way[asked.name] = (time.monotonic(), Future())
                # Not an executor: its threads are waited for when the process ends, and this one may hang.
                threading.Thread(
                    target=_answer, args=(asked, running[1]), name=f"metrics-{asked.name}", daemon=True
                ).start()
            return running

    def _say(self, name: str, error: Exception) -> None:
        """Once per outage."""
        if name not in self._failing:
            self._failing.add(name)
            said = (str(error).splitlines() or ["no answer in time"])[0]
            log.warning("metrics: the state of %s cannot be read: %s: %s", name, type(error).__name__, said)


def _answer(asked: Source, future: Future[list[Metric]]) -> None:
    try:
        future.set_result(asked.read())
    except BaseException as error:
        future.set_exception(error)


def registry(*sources: Source) -> CollectorRegistry:
    """What one scrape shows: what this process counted, or all workers of a web server, and the state."""
    found = CollectorRegistry()
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        MultiProcessCollector(found)
    else:
        found.register(REGISTRY)
    found.register(StateCollector(*sources))
    return found


def start_exposition(*sources: Source) -> WSGIServer | None:
    """Answers scrapes on ACME_METRICS_PORT from now on, in threads; without that variable it does nothing.

    A port that cannot be had is said in the log; the daemon goes on without.
    """
    if not env.metrics_port:
        return None
    try:
        server, _ = start_http_server(env.metrics_port, env.metrics_address, registry(*sources))
    except OSError as error:
        log.error("no metrics: port %d of %s cannot be used: %s", env.metrics_port, env.metrics_address, error)
        return None
    return server
