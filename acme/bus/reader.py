"""Reading whole partitions without a consumer group, from any offset on."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError, RetriableError

from acme.bus.errors import PASSING, as_bus_error, translated
from acme.bus.records import Partition, Record, record_of
from acme.bus.settings import CONSUMER


class Reader:
    """Of fixed partitions. The constructor raises `BusUnavailable` when no broker answers within four seconds."""

    def __init__(self, bootstrap: str, partitions: Iterable[Partition]) -> None:
        with translated("connecting a reader"):
            self._consumer: Any = KafkaConsumer(bootstrap_servers=bootstrap.split(","), **CONSUMER)
            self._consumer.assign([TopicPartition(*pair) for pair in partitions])

    def seek(self, topic: str, partition: int, offset: int) -> None:
        """The next record read from there is the first at or above the offset."""
        if offset > 0:
            self._consumer.seek(TopicPartition(topic, partition), offset)
        else:
            self._consumer.seek_to_beginning(TopicPartition(topic, partition))

    def poll(self, timeout_seconds: float) -> dict[Partition, list[Record]]:
        """Records by partition, in order; empty when none came in time, or the broker is away. Raises `BusError`."""
        try:
            found = self._consumer.poll(timeout_ms=int(timeout_seconds * 1000))
        except (RetriableError, OSError, *PASSING):
            return {}
        except KafkaError as error:
            raise as_bus_error(error, "reading") from error
        return {(tp.topic, tp.partition): [record_of(r) for r in records] for tp, records in found.items()}

    def close(self) -> None:
        with suppress(KafkaError):
            self._consumer.close(autocommit=False, timeout_ms=2_000)
