"""Running workers: one thread per projection, each a member of its own consumer group; any number of processes."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import close_old_connections
from pymongo.database import Database

from acme.bus import Consumer, Topics
from acme.ports import EventLog, event_log, subject_keys
from projections.runtime.announcer import Announce, Announcer
from projections.runtime.checkpoints import Checkpoints, Stream
from projections.runtime.failures import is_engine_failure
from projections.runtime.followers import Followers
from projections.runtime.generations import live_of, open_live
from projections.runtime.projection import Projection
from projections.runtime.settings import DEFAULT, WorkerSettings
from projections.runtime.worker import Joined, Worker
from queries.documents.connection import database

logger = logging.getLogger(__name__)


class NotReached(Exception):
    """A projection that was to be brought up to date once could not be."""


class KafkaIdentities:
    """Topic identities through one administrator's connection per thread of use, made at the first call."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._topics: Topics | None = None

    def __call__(self, names: tuple[str, ...]) -> dict[str, str]:
        """Raises `acme.bus.BusUnavailable`."""
        if self._topics is None:
            self._topics = Topics(self._bootstrap)
        return self._topics.identities(names)

    def close(self) -> None:
        if self._topics is not None:
            self._topics.close()


def run_projections(
    projections: Iterable[Projection],
    bootstrap: str,
    stop: threading.Event,
    *,
    once: bool = False,
    settings: WorkerSettings = DEFAULT,
) -> bool:
    """Runs until ``stop`` is set, or with ``once`` until every projection has reached the heads seen at the start.

    Blocks. A worker that ends by an error of its own is begun anew after a while, later and later; the others go on.
    With ``once`` it ends all: the answer is False then, and when a projection could not get there because partitions
    are blocked or an operator has paused it. Raises an engine's failure that a worker could not wait out (with
    ``once``: the heads or checkpoints cannot be read).
    """
    chosen, errors, log = list(projections), list[Exception](), event_log()
    threads = [
        threading.Thread(
            target=_run_one,
            args=(projection, log, bootstrap, stop, errors, once, settings),
            name=f"projector-{projection.name}",
        )
        for projection in chosen
    ]
    if not once:

        def follow(projection: Projection, generation: int, over: threading.Event) -> None:
            with _making(projection, log, bootstrap, settings, follows=generation) as make:
                _run_for_ever(f"{projection.name} (generation {generation})", make, over, settings)

        followers = Followers(database(), chosen, follow)
        threads.append(threading.Thread(target=followers.run, args=(stop,), name="projector-followers"))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in errors:
        if is_engine_failure(error):
            raise error
    return not errors


@contextmanager
def _making(
    projection: Projection, log: EventLog, bootstrap: str, settings: WorkerSettings, *, follows: int | None = None
) -> Iterator[Callable[[], Worker]]:
    """What makes workers of one thread; their connections end with the context."""
    store, identities = database(), KafkaIdentities(bootstrap)
    announcer = None if follows else Announcer(bootstrap)  # the letters of the live generation are told, no others

    def consumer(group: str, topics: tuple[str, ...], on_assigned: Joined, on_revoked: Joined) -> Consumer:
        return Consumer(bootstrap, group, topics, on_assigned=on_assigned, on_revoked=on_revoked)

    def make() -> Worker:
        announce: Announce = announcer or (lambda letters, streams: None)
        return Worker(projection, store, log, subject_keys(), consumer, identities, settings, announce, follows=follows)

    try:
        yield make
    finally:
        if announcer is not None:
            announcer.close()
        identities.close()
        close_old_connections()


def _run_one(
    projection: Projection,
    log: EventLog,
    bootstrap: str,
    stop: threading.Event,
    errors: list[Exception],
    once: bool,
    settings: WorkerSettings,
) -> None:
    try:
        with _making(projection, log, bootstrap, settings) as make:
            if not once:
                _run_for_ever(projection.name, make, stop, settings)
                return
            worker = make()
            reached = reached_heads(database(), log, projection)
            worker.run(stop, lambda: worker.paused or reached(worker.blocked))
            if worker.paused or worker.blocked:
                errors.append(NotReached(f"{projection.name} cannot get to the heads: {worker.why_not()}"))
                logger.error(errors[-1])
    except Exception as error:
        if not is_engine_failure(error):
            logger.exception("%s: the worker ended by an error of its own", projection.name)
        errors.append(error)
        stop.set()


def _run_for_ever(name: str, make: Callable[[], Worker], stop: threading.Event, settings: WorkerSettings) -> None:
    """What a worker cannot handle is its projection's trouble alone: nobody works on it meanwhile, which alerts say."""
    pause = settings.begun_anew_first
    while not stop.is_set():
        begun = time.monotonic()
        try:
            make().run(stop)
        except Exception:
            if time.monotonic() - begun > settings.begun_anew_cap:
                pause = settings.begun_anew_first
            logger.exception("%s: the worker ended by an error of its own, another begins in %.0f s", name, pause)
            close_old_connections()
            stop.wait(pause)
            pause = min(settings.begun_anew_cap, pause * 2)


def reached_heads(
    store: Database[dict[str, Any]], log: EventLog, projection: Projection
) -> Callable[[set[Stream]], bool]:
    """A question: has the live generation applied everything that is numbered now, but for some partitions?"""
    wanted: dict[Stream, int] = {(h.topic, h.partition): h.sequence for h in log.heads(projection.topics) if h.sequence}
    open_live(store, projection)

    def reached(but: set[Stream]) -> bool:
        held = Checkpoints(store, projection.name, live_of(store, projection.name)).load(wanted)
        return all(held[stream].sequence >= sequence for stream, sequence in wanted.items() if stream not in but)

    return reached
