"""Writing records: idempotent, acknowledged by all replicas, in the given order within each partition."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from kafka import KafkaProducer
from kafka.errors import KafkaError, KafkaTimeoutError

from acme.bus.errors import BusUnavailable, as_bus_error, translated
from acme.bus.records import Outgoing
from acme.bus.settings import PRODUCER

HEARTBEAT_SECONDS = 2.0
# Every future has its answer by then: delivery_timeout_ms and some slack.
DEADLINE_SECONDS = PRODUCER["delivery_timeout_ms"] / 1000 + 5.0


class Producer:
    """One connection to Kafka for writing. Use it from one thread, and throw it away after any error.

    The constructor raises `BusUnavailable` when no broker answers within four seconds.
    """

    def __init__(self, bootstrap: str) -> None:
        with translated("connecting"):
            self._producer: Any = KafkaProducer(bootstrap_servers=bootstrap.split(","), **PRODUCER)

    def send_all(self, records: Iterable[Outgoing], *, heartbeat: Callable[[], None] | None = None) -> list[int]:
        """Writes the records and returns their offsets when all are acknowledged.

        They are encoded one by one, so a generator keeps memory small.

        ``heartbeat`` is called about every two seconds meanwhile. Raises `BusUnavailable` or another `BusError` when
        any record is not acknowledged: then nothing is known of any of them, and some may yet be written; close
        this producer and write all again with a new one.
        """
        started = time.monotonic()
        beaten = started
        futures = []
        with translated("sending"):
            for record in records:
                futures.append(
                    self._producer.send(
                        record.topic,
                        value=record.value,
                        key=record.key,
                        headers=record.headers,
                        partition=record.partition,
                    )
                )
                if heartbeat is not None and time.monotonic() - beaten > HEARTBEAT_SECONDS:
                    heartbeat()
                    beaten = time.monotonic()
        while not self._flushed():
            if heartbeat is not None:
                heartbeat()
            if time.monotonic() - started > DEADLINE_SECONDS:
                raise BusUnavailable(f"Kafka acknowledged nothing for {DEADLINE_SECONDS:.0f} s")
        return [_offset(future) for future in futures]

    def _flushed(self) -> bool:
        try:
            self._producer.flush(timeout=HEARTBEAT_SECONDS)
        except KafkaTimeoutError:
            return False
        return True

    def close(self) -> None:
        """Ends the connection at once; records that are not acknowledged yet are given up."""
        # A producer with open batches refuses to close (its flush times out) and would go on sending them.
        self._producer._sender.force_close()
        with suppress(KafkaError):
            self._producer.close(timeout=1.0)


def _offset(future: Any) -> int:
    if future.succeeded():
        return int(future.value.offset)
    error = future.exception or KafkaTimeoutError("no answer")
    raise as_bus_error(error, "sending") from error
