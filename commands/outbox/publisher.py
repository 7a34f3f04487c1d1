"""The loop from log to Kafka: number, send everything above the cursor, wait for all acknowledgements, move the cursor.

One publisher works at a time (`lane`). Who does not get the lane is done, because its holder looks once more after it
let go. Sequences are dense and never change, so after a crash anywhere some events are sent twice and none never, and
a publisher that wakes up late can only send duplicates.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import suppress
from types import TracebackType

import psycopg

from acme.bus import BusError, Outgoing
from acme.contracts.envelope import Envelope, to_record
from acme.metrics import EVENTS_PUBLISHED, PUBLISH_FAILURES, PUBLISH_SECONDS
from commands.outbox.lane import Lane
from commands.outbox.link import Halted, Link
from commands.outbox.refill import Cursor, acknowledged

log = logging.getLogger(__name__)

AT_ONCE = 3_000  # events per numbering statement and per send

#: What may pass, by itself or when an operator helps: an engine cannot be reached, or Kafka refuses. Try again later.
PASSING = (psycopg.OperationalError, BusError)

for _reason in ("kafka", "postgresql", "halted", "error"):
    PUBLISH_FAILURES.labels(_reason)  # from 0, so that the first one is seen as an increase


class Publisher:
    """Publishes what the log has. Belongs to one thread; opens its connections when it needs them.

    ``on_sent`` hears how many events were just acknowledged.
    """

    def __init__(self, bootstrap: str, *, on_sent: Callable[[int], None] | None = None) -> None:
        self._bootstrap = bootstrap
        self.on_sent = on_sent
        self._lane: Lane | None = None
        self._link: Link | None = None
        # Starts no thread before it is used.
        self._helper = ThreadPoolExecutor(1, thread_name_prefix="acme-sequencer")

    def __enter__(self) -> Publisher:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def drain(self, *, look_at_kafka: bool = False) -> int:
        """Publishes until nothing is left, or somebody else has the lane; returns how many events were acknowledged.

        ``look_at_kafka`` compares Kafka with the log even if there is nothing to send. Raises what is in `PASSING`
        (call again later), `Halted`, and errors that are faults; connections are closed then, and made anew by the
        next call.
        """
        try:
            return self._drain(look_at_kafka)
        except BaseException as error:
            PUBLISH_FAILURES.labels(_why(error)).inc()
            self.close()
            raise

    def _drain(self, look_at_kafka: bool) -> int:
        sent = 0
        while True:
            lane = self._opened()
            if not lane.acquire():
                return sent
            try:
                sent += self._publish(lane, look_at_kafka)
            finally:
                with suppress(psycopg.OperationalError):  # the session is gone, and the lane with it
                    lane.release()
            if not lane.has_backlog():
                return sent

    def has_backlog(self) -> bool:
        """Whether anything in the log waits for its number or for Kafka."""
        return self._opened().has_backlog()

    def cursors(self) -> dict[tuple[str, int], Cursor]:
        """How far every partition is numbered and published."""
        return self._opened().cursors()

    def epoch(self) -> int:
        """The epoch of the log that is in force."""
        return self._opened().epoch().number

    def rewind(self, topics: Sequence[str]) -> bool:
        """Makes everything of these topics unpublished; False when somebody else has the lane."""
        return self._holding_lane(lambda lane: lane.rewind(topics))

    def start_epoch(self) -> bool:
        """Starts the next epoch of the log; False when somebody else has the lane."""
        return self._holding_lane(lambda lane: lane.start_epoch())

    def _holding_lane(self, act: Callable[[Lane], object]) -> bool:
        lane = self._opened()
        if not lane.acquire():
            return False
        try:
            act(lane)
        finally:
            lane.release()
        return True

    def _publish(self, lane: Lane, look_at_kafka: bool) -> int:
        epoch = lane.epoch()
        if epoch.halted_reason:
            raise Halted(epoch.halted_reason)
        sent = 0
        numbered = lane.number(AT_ONCE)
        while True:
            events = lane.unpublished(AT_ONCE, epoch.number)
            if (events or look_at_kafka) and self._connected().verify(lane, epoch.number):
                events = lane.unpublished(AT_ONCE, epoch.number)
            if not events and not numbered:
                return sent
            # A full batch means that more waits: PostgreSQL numbers it while Kafka takes this one.
            ahead = self._helper.submit(lane.number, AT_ONCE) if numbered == AT_ONCE else None
            try:
                sent += self._send(lane, events)
            finally:
                wait([ahead] if ahead else [])
            numbered = ahead.result() if ahead else lane.number(AT_ONCE)

    def _opened(self) -> Lane:
        if self._lane is None:
            self._lane = Lane()
        return self._lane

    def _connected(self) -> Link:
        if self._link is None:
            self._link = Link(self._bootstrap)
        return self._link

    def _send(self, lane: Lane, events: Sequence[Envelope]) -> int:
        if not events:
            return 0
        started = time.perf_counter()
        link = self._connected()
        offsets = link.send(map(_outgoing, events), lane.ping)
        cursors = lane.cursors()
        runs: dict[tuple[str, int], tuple[list[int], list[int]]] = {}
        for event, offset in zip(events, offsets, strict=True):
            sequences, written = runs.setdefault((event.topic, event.partition), ([], []))
            sequences.append(event.sequence or 0)
            written.append(offset)
        moved = [
            acknowledged(cursors[pair], sequences, written, link.identities[pair[0]])
            for pair, (sequences, written) in runs.items()
        ]
        lane.move(moved)
        if not all(cursor.published for cursor in moved):
            log.warning("Kafka was replaced while it was written to: it is compared with the log again")
            link.close()
            self._link = None
            return 0
        PUBLISH_SECONDS.observe(time.perf_counter() - started)
        for topic, count in Counter(event.topic for event in events).items():
            EVENTS_PUBLISHED.labels(topic).inc(count)
        if self.on_sent is not None:
            self.on_sent(len(events))
        return len(events)

    def close(self) -> None:
        """Ends both connections; a lane that is held is free then."""
        if self._lane is not None:
            self._lane.close()
        if self._link is not None:
            self._link.close()
        self._lane = self._link = None


def _why(error: BaseException) -> str:
    """Why an attempt was broken off, as its metric names it."""
    if isinstance(error, Halted):
        return "halted"
    if isinstance(error, BusError):
        return "kafka"
    return "postgresql" if isinstance(error, psycopg.OperationalError) else "error"


def _outgoing(event: Envelope) -> Outgoing:
    key, value, headers = to_record(event)
    return Outgoing(topic=event.topic, partition=event.partition, key=key, value=value, headers=headers)
