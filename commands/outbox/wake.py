"""What `transaction.on_commit` calls: wakes the background publisher thread of this process, without waiting.

The thread, its session and its connection to Kafka are made at the first wake in a process and do not survive a fork;
the child makes its own. While there is a backlog and an engine is down, the thread tries again with growing pauses.
"""

from __future__ import annotations

import logging
import os
import threading

from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from acme.env import env
from commands.outbox.link import Halted
from commands.outbox.publisher import PASSING, Publisher

log = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 10.0
SAID_EVERY = 10  # attempts

#: Switched off by tests that publish by hand.
enabled = True


def wake_publisher() -> None:
    """Never blocks and never raises: the events are in the log, and the relay and the sweep find them too."""
    if not enabled or not env.kafka_bootstrap_servers:
        return
    try:
        _thread().wake()
    except Exception:
        log.exception("the publisher could not be woken")


class PublisherThread(threading.Thread):
    """Publishes whenever it is woken, until `stop`."""

    def __init__(self, bootstrap: str) -> None:
        super().__init__(name="acme-publisher", daemon=True)
        self._publisher = Publisher(bootstrap)
        self._woken = threading.Event()
        self._stopping = threading.Event()

    def wake(self) -> None:
        self._woken.set()

    def stop(self, timeout_seconds: float = 5.0) -> None:
        """Ends the thread after the batch at hand and closes its connections."""
        self._stopping.set()
        self._woken.set()
        if self.is_alive():
            self.join(timeout_seconds)

    def _pause(self, seconds: float) -> None:
        self._stopping.wait(seconds)

    def run(self) -> None:
        policy = Retrying(
            retry=retry_if_exception_type(PASSING),
            stop=lambda state: self._stopping.is_set(),
            wait=wait_random_exponential(multiplier=0.2, max=LONGEST_PAUSE_SECONDS),
            sleep=self._pause,
            before_sleep=_say,
            reraise=True,
        )
        while self._woken.wait() and not self._stopping.is_set():
            self._woken.clear()
            try:
                policy(self._publisher.drain)
            except PASSING as error:  # stopped in the middle of an outage
                log.warning("events stay in the log: %s", error)
            except Halted as why:
                log.error("the publisher is halted: %s", why)
            except Exception:
                log.exception("the publisher failed; the relay or the next event tries again")
        self._publisher.close()


def _say(state: RetryCallState) -> None:
    if state.attempt_number % SAID_EVERY == 1 and state.outcome is not None:
        log.warning("events wait in the log: %s", state.outcome.exception())


_current: PublisherThread | None = None
_making = threading.Lock()


def _thread() -> PublisherThread:
    """This process's thread, started when there is none."""
    global _current
    if _current is None or not _current.is_alive():
        with _making:
            if _current is None or not _current.is_alive():
                _current = PublisherThread(str(env.kafka_bootstrap_servers))
                _current.start()
    return _current


def stop_publisher() -> None:
    """Ends this process's thread, if it has one."""
    global _current
    thread, _current = _current, None
    if thread is not None:
        thread.stop()


def _forget() -> None:
    """In a forked child: the parent's thread is not here, and its lock may have been held."""
    global _current, _making
    _current = None
    _making = threading.Lock()


os.register_at_fork(after_in_child=_forget)
