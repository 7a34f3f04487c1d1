"""Topics: creating them, which incarnation of them Kafka holds, and the last record of each partition."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError, TopicAlreadyExistsError

from acme.bus.errors import BusUnavailable, TopicMismatch, translated
from acme.bus.records import Partition, Record, record_of
from acme.bus.settings import CONNECTION, CONSUMER, MAX_RECORD_BYTES
from acme.contracts.topics import Topic

#: Less than the publisher's session may be idle.
TAIL_SECONDS = 6.0
#: Kafka keeps everything (a read model can be rebuilt from it); the truth is the log in PostgreSQL all the same.
TOPIC_CONFIGS = {"retention.ms": "-1", "max.message.bytes": str(MAX_RECORD_BYTES)}


@dataclass(frozen=True, kw_only=True)
class Tail:
    """The end of a partition: the offset that the next record will get, and the last record (None: there is none)."""

    end: int
    last: Record | None


class Topics:
    """An administrator's connection. The constructor raises `BusUnavailable` when no broker answers in four seconds."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap.split(",")
        with translated("connecting"):
            self._admin: Any = KafkaAdminClient(
                bootstrap_servers=self._bootstrap, request_timeout_ms=5_000, **CONNECTION
            )

    def ensure(self, topics: Iterable[Topic]) -> list[str]:
        """Creates what is missing and returns its names. Raises `TopicMismatch` for another partition count."""
        wanted = list(topics)
        found = self._describe([topic.name for topic in wanted])
        created = []
        for topic in wanted:
            if topic.name not in found:
                if self._create(topic):
                    created.append(topic.name)
            elif len(found[topic.name]["partitions"]) != topic.partitions:
                count = len(found[topic.name]["partitions"])
                raise TopicMismatch(f"topic {topic.name} has {count} partitions, the contract says {topic.partitions}")
        if created:
            with translated("waiting for new topics"):
                self._admin.wait_for_topics(created, timeout_ms=6_000)
        return created

    def _create(self, topic: Topic) -> bool:
        options = {"num_partitions": topic.partitions, "replication_factor": -1, "configs": TOPIC_CONFIGS}
        with translated(f"creating topic {topic.name}"):
            try:
                self._admin.create_topics({topic.name: options})
            except TopicAlreadyExistsError:  # somebody else was faster
                return False
        return True

    def identities(self, names: Sequence[str]) -> dict[str, str]:
        """Topic name → topic id for those that exist: one request of about a millisecond.

        A topic that was deleted and created again, or a Kafka that came back empty, has another id.
        """
        return {name: str(topic["topic_id"]) for name, topic in self._describe(names).items()}

    def _describe(self, names: Sequence[str]) -> dict[str, Any]:
        with translated("describing topics"):
            topics = self._admin.describe_topics(list(names))
        return {topic["name"]: topic for topic in topics if not topic["error_code"]}

    def tails(self, partitions: Sequence[Partition]) -> dict[Partition, Tail]:
        """The end of each partition. All must exist. Raises `BusUnavailable`."""
        with translated("reading the ends of partitions"):
            reader: Any = KafkaConsumer(bootstrap_servers=self._bootstrap, **CONSUMER)
            try:
                return _read_tails(reader, [TopicPartition(*pair) for pair in partitions])
            finally:
                with suppress(KafkaError):
                    reader.close()

    def close(self) -> None:
        with suppress(KafkaError):
            self._admin.close()


def _read_tails(reader: Any, partitions: list[TopicPartition]) -> dict[Partition, Tail]:
    """Reads on from just before the reported end up to the high-water mark of a fetch.

    The reported end alone is not enough: the embedded broker reports the start of the last batch.
    """
    reader.assign(partitions)
    for tp, end in reader.end_offsets(partitions).items():
        reader.seek(tp, max(0, end - 1))
    last: dict[Partition, Record] = {}
    deadline = time.monotonic() + TAIL_SECONDS
    unread = set(partitions)
    while unread:
        for tp, records in reader.poll(timeout_ms=100).items():
            last[tp.topic, tp.partition] = record_of(records[-1])
        unread = {tp for tp in unread if not _at_the_end(reader, tp)}
        if unread and time.monotonic() > deadline:
            raise BusUnavailable(f"the ends of {len(unread)} partitions cannot be read within {TAIL_SECONDS:.0f} s")
    return {
        (tp.topic, tp.partition): Tail(end=reader.highwater(tp), last=last.get((tp.topic, tp.partition)))
        for tp in partitions
    }


def _at_the_end(reader: Any, tp: TopicPartition) -> bool:
    high = reader.highwater(tp)
    return high is not None and reader.position(tp, timeout_ms=1_000) >= high
