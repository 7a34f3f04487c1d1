"""What `manage.py relay` does: the publisher's loop as a daemon, once, from the beginning again, or in a new epoch."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import psycopg
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from commands.outbox.direct import Connection, connect
from commands.outbox.link import Halted
from commands.outbox.publisher import PASSING, Publisher

log = logging.getLogger(__name__)

CHANNEL = "domain_event"
POLL_SECONDS = 1.0  # a NOTIFY can be lost, and Kafka can be emptied without any event
HALTED_SECONDS = 60.0  # how often a halted relay says so
LONGEST_PAUSE_SECONDS = 10.0
SAID_EVERY = 10  # attempts
LANE_SECONDS = 0.2  # between looks at a lane that somebody else has


class Relay:
    """The daemon: publishes at every NOTIFY and every second, until ``stop`` is set. No outage of an engine ends it."""

    def __init__(self, bootstrap: str, stop: threading.Event) -> None:
        self.sent = 0
        self._stop = stop
        self._publisher = Publisher(bootstrap, on_sent=self._count)
        self._listener: Connection | None = None
        self._said_halted = float("-inf")

    def run(self) -> None:
        policy = Retrying(
            retry=retry_if_exception_type(PASSING),
            stop=lambda state: self._stop.is_set(),
            wait=wait_random_exponential(multiplier=0.2, max=LONGEST_PAUSE_SECONDS),
            sleep=self._pause,
            before_sleep=self._say,
            retry_error_callback=lambda state: None,
        )
        try:
            while not self._stop.is_set():
                policy(self._round)
        finally:
            self._publisher.close()
            self._stop_listening()

    def _round(self) -> None:
        try:
            # Listening first: an event that is committed after the look is notified.
            listener = self._listener = self._listener or self._listen()
            self._publisher.drain(look_at_kafka=True)
            list(listener.notifies(timeout=POLL_SECONDS, stop_after=1))
        except Halted as why:
            if time.monotonic() - self._said_halted > HALTED_SECONDS:
                self._said_halted = time.monotonic()
                log.error("halted until `manage.py relay --new-epoch`: %s", why)
            self._pause(POLL_SECONDS)
        except psycopg.OperationalError:
            self._stop_listening()
            raise

    def _listen(self) -> Connection:
        listener = connect("acme-relay")
        listener.execute(f"LISTEN {CHANNEL}")
        return listener

    def _stop_listening(self) -> None:
        listener, self._listener = self._listener, None
        if listener is not None:
            with suppress(psycopg.Error):
                listener.close()

    def _pause(self, seconds: float) -> None:
        self._stop.wait(seconds)

    def _count(self, events: int) -> None:
        self.sent += events

    def _say(self, state: RetryCallState) -> None:
        if state.attempt_number % SAID_EVERY == 1 and state.outcome is not None:
            log.warning("trying again until it works: %s", state.outcome.exception())


def publish_all(bootstrap: str, *, on_sent: Callable[[int], None] | None = None) -> int:
    """Publishes what there is, or waits while somebody else does; returns how many events went out from here.

    Raises what is in `PASSING`, and `Halted`.
    """
    sent = 0
    with Publisher(bootstrap, on_sent=on_sent) as publisher:
        sent += publisher.drain(look_at_kafka=True)
        while publisher.has_backlog():
            time.sleep(LANE_SECONDS)
            sent += publisher.drain()
    return sent


def replay(bootstrap: str, topics: Sequence[str], *, progress: Callable[[int, int], None]) -> int:
    """Sends everything of these topics again; ``progress`` hears (published, total). Returns the total."""
    with Publisher(bootstrap) as publisher:
        _when_free(lambda: publisher.rewind(topics))
        goals = {pair: cursor.sequence for pair, cursor in publisher.cursors().items() if pair[0] in topics}
        total = sum(goals.values())
        progress(0, total)
        publisher.on_sent = lambda _: progress(_published(publisher, goals), total)
        while _published(publisher, goals) < total:
            publisher.drain()
            progress(_published(publisher, goals), total)
            if publisher.has_backlog():
                time.sleep(LANE_SECONDS)
    return total


def _published(publisher: Publisher, goals: dict[tuple[str, int], int]) -> int:
    cursors = publisher.cursors()
    return sum(min(cursors[pair].published, goal) for pair, goal in goals.items())


def new_epoch(bootstrap: str) -> int:
    """Starts the next epoch of the log and returns its number; everything is published again in it."""
    with Publisher(bootstrap) as publisher:
        _when_free(publisher.start_epoch)
        return publisher.epoch()


def _when_free(act: Callable[[], bool]) -> None:
    while not act():
        time.sleep(LANE_SECONDS)
