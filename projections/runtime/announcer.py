"""Dead letters on the topic `acme.dead-letters` too, with Kafka Connect's error headers, for other people's tools.

The letter in MongoDB is the truth; its record follows within a second or so, at least once, in a thread of its own so
that a Kafka that is down holds up no worker.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor

from acme.bus import BusError, Outgoing, Producer, RecordRefused, Topics
from acme.contracts.topics import DEAD_LETTERS
from projections.runtime.checkpoints import Stream
from projections.runtime.failures import is_engine_failure
from projections.runtime.letters import DeadLetters, Letter

logger = logging.getLogger(__name__)
AT_ONCE = 500  # letters

#: What a worker calls with its letters and partitions; it never waits.
Announce = Callable[[DeadLetters, Iterable[Stream]], None]


def error_headers(letter: Letter) -> list[tuple[str, bytes]]:
    """The headers of Kafka Connect's dead letter queue (Apache Kafka, DeadLetterQueueReporter; KIP-298)."""
    undecodable = letter["sequence"] is None
    values = {
        "topic": letter["topic"],
        "partition": str(letter["partition"]),
        "offset": str(letter["offset"]),
        "connector.name": f"acme-projector-{letter['projection']}",
        "task.id": str(letter["partition"]),
        "stage": "VALUE_CONVERTER" if undecodable else "TASK_PUT",
        "class.name": "projections.runtime.worker.Worker",
        "exception.class.name": letter["error_class"],
        "exception.message": letter["error"],
        "exception.stacktrace": letter["traceback"],
    }
    return [(f"__connect.errors.{name}", value.encode()) for name, value in values.items()]


def record_of(letter: Letter) -> Outgoing:
    """The event as it came, with its own headers and those of its failure."""
    record = letter["record"]
    key, value = (None if part is None else bytes(part) for part in (record["key"], record["value"]))
    headers = [(name, bytes(text)) for name, text in record["headers"]]
    return Outgoing(
        topic=DEAD_LETTERS.name,
        partition=letter["partition"] % DEAD_LETTERS.partitions,
        key=key,
        value=value,
        headers=[*headers, *error_headers(letter), ("acme_dead_letter", letter["_id"].encode())],
    )


class Announcer:
    """One projection's sender."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._producer: Producer | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="dead-letters")
        self._running: Future[None] | None = None
        self._stop = threading.Event()

    def __call__(self, letters: DeadLetters, streams: Iterable[Stream]) -> None:
        """Sends in the background what is not on the topic yet; without effect while that still goes on."""
        if self._running is None or self._running.done():
            self._running = self._thread.submit(self._send, letters, set(streams))

    def close(self) -> None:
        """Waits for what is being sent at this moment; the rest goes out at the next start."""
        self._stop.set()
        self._thread.shutdown(wait=True)
        self._drop_producer()

    def _send(self, letters: DeadLetters, streams: set[Stream]) -> None:
        try:
            while not self._stop.is_set() and (waiting := letters.unannounced(streams, AT_ONCE)):
                try:
                    self._connected().send_all(map(record_of, waiting))
                except RecordRefused:
                    self._one_by_one(letters, waiting)
                else:
                    letters.update((letter["_id"], {"$unset": {"unannounced": ""}}) for letter in waiting)
        except Exception as error:
            self._drop_producer()
            if not is_engine_failure(error) and not isinstance(error, BusError):
                logger.exception("dead letters cannot be announced")

    def _one_by_one(self, letters: DeadLetters, waiting: list[Letter]) -> None:
        """A letter that no record can hold, with its headers, stays in MongoDB alone."""
        for letter in waiting:
            self._drop_producer()
            try:
                self._connected().send_all([record_of(letter)])
            except RecordRefused:
                logger.error("dead letter %s is too large for a record", letter["_id"])
            letters.update([(letter["_id"], {"$unset": {"unannounced": ""}})])

    def _connected(self) -> Producer:
        if self._producer is None:
            with_topics = Topics(self._bootstrap)
            try:
                with_topics.ensure((DEAD_LETTERS,))
            finally:
                with_topics.close()
            self._producer = Producer(self._bootstrap)
        return self._producer

    def _drop_producer(self) -> None:
        if self._producer is not None:
            self._producer.close()
        self._producer = None
