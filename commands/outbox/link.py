"""The publisher's side of Kafka: producer, topics, and the comparison of what Kafka holds with the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from contextlib import suppress

from acme.bus import BusError, BusUnavailable, Outgoing, Producer, Record, Tail, Topics
from acme.contracts.envelope import Undecodable, from_record
from acme.contracts.topics import TOPICS
from commands.outbox.lane import Lane
from commands.outbox.refill import Cursor, Halt, Seen, Shown, resume

log = logging.getLogger(__name__)

NAMES = [topic.name for topic in TOPICS]
PARTITIONS = [(topic.name, partition) for topic in TOPICS for partition in range(topic.partitions)]
IDENTITY_SECONDS = 1.0  # how often, at most, the topics' identities are looked at


class Halted(Exception):
    """Nothing is published in this epoch any more; the message says why. `manage.py relay --new-epoch` goes on."""


class Link:
    """A connection to Kafka that has been compared with the log. Throw it away after any error."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._topics = Topics(bootstrap)
        self._producer: Producer | None = None
        self.identities: dict[str, str] = {}  # of the topics, when they were last compared
        self._looked_at = 0.0

    def verify(self, lane: Lane, epoch: int) -> bool:
        """Compares Kafka with the log if it may have changed; moves cursors back where events are to be sent again.

        Cheap to call often: within a second of the last look it does nothing, and while the topics are the same it is
        one request. Returns whether any cursor moved. Raises `Halted` after noting the reason, and `BusError`.
        """
        now = time.monotonic()
        if self.identities and now - self._looked_at < IDENTITY_SECONDS:
            return False
        found = self._topics.identities(NAMES)
        self._looked_at = now
        if self.identities and found == self.identities:
            return False
        # Also when all are there: somebody's client may have made one, with a partition count that is not ours.
        if self._topics.ensure(TOPICS) or set(found) != set(NAMES):  # or somebody else has made what was missing
            found = self._topics.identities(NAMES)
        if set(found) != set(NAMES):
            raise BusUnavailable("Kafka has lost its topics again while they were looked at")
        moved = self._compare(lane, epoch, found)
        self.identities = found
        return moved

    def _compare(self, lane: Lane, epoch: int, identities: dict[str, str]) -> bool:
        seen = {pair: _seen(identities[pair[0]], tail) for pair, tail in self._topics.tails(PARTITIONS).items()}
        lane.ping()
        # Read after Kafka, so that the log can only be further than it was when Kafka was read.
        cursors = lane.cursors()
        logged = lane.logged(
            (topic, partition, found.last.sequence) for (topic, partition), found in seen.items() if found.last
        )
        decisions = [
            (before, resume(before, seen[pair], epoch, logged.get(pair)))
            for pair in PARTITIONS
            for before in [cursors.get(pair) or Cursor(topic=pair[0], partition=pair[1])]
        ]
        reasons = [after.reason for _, after in decisions if isinstance(after, Halt)]
        if reasons:
            lane.halt(epoch, "; ".join(reasons))
            raise Halted("; ".join(reasons))
        moved = [after for before, after in decisions if isinstance(after, Cursor) and after != before]
        lane.move(moved)
        again = sum(b.published - a.published for b, a in decisions if isinstance(a, Cursor))
        if again:
            log.warning("Kafka lacks %d published events: they are sent again from the log", again)
        return bool(again)

    def send(self, records: Iterable[Outgoing], heartbeat: Callable[[], None]) -> list[int]:
        """Sends the records and returns their offsets. Raises `BusError`."""
        if self._producer is None:
            self._producer = Producer(self._bootstrap)
        return self._producer.send_all(records, heartbeat=heartbeat)

    def close(self) -> None:
        with suppress(BusError):
            self._topics.close()
            if self._producer is not None:
                self._producer.close()


def _seen(identity: str, tail: Tail) -> Seen:
    return Seen(topic_identity=identity, end=tail.end, last=None if tail.last is None else _shown(tail.last))


def _shown(record: Record) -> Shown | None:
    try:
        envelope = from_record(record.topic, record.partition, record.value, record.headers)
    except Undecodable as error:
        log.error("the last record of %s[%d] is none of ours: %s", record.topic, record.partition, error)
        return None
    assert envelope.sequence is not None  # noqa: S101 (from_record always gives one)
    return Shown(offset=record.offset, epoch=envelope.log_epoch, sequence=envelope.sequence, event_id=envelope.event_id)
