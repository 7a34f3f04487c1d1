"""Every setting that ACME gives kafka-python, once, with its reason (as measured: engines.md and measures.md)."""

from __future__ import annotations

from typing import Any, Final

from acme.bus.client import net_client

#: Of one record, in bytes: product texts fit many times; topics are created with the same limit.
MAX_RECORD_BYTES: Final = 4 * 1024 * 1024
#: How long a constructor tries to reach any broker, in milliseconds.
BOOTSTRAP_MS: Final = 4_000

#: For all clients. Without the back-off limits a client may sleep for most of a minute after a broker's restart.
CONNECTION: Final[dict[str, Any]] = {
    "reconnect_backoff_ms": 50,
    "reconnect_backoff_max_ms": 500,
    "retry_backoff_ms": 50,
    "bootstrap_timeout_ms": BOOTSTRAP_MS,
    "metadata_max_age_ms": 30_000,
    "kafka_client": net_client,
}

#: A long linger makes full batches, and costs a single event nothing because `Producer.send_all` flushes.
PRODUCER: Final[dict[str, Any]] = {
    **CONNECTION,
    "acks": "all",
    "enable_idempotence": True,
    "linger_ms": 20,
    "batch_size": 256 * 1024,
    "max_request_size": MAX_RECORD_BYTES,
    "request_timeout_ms": 5_000,
    "delivery_timeout_ms": 10_000,
    "max_block_ms": 5_000,
    "metrics_enabled": False,
}

CONSUMER: Final[dict[str, Any]] = {
    **CONNECTION,
    "enable_auto_commit": False,
    "auto_offset_reset": "earliest",
    "fetch_max_wait_ms": 20,
    "max_poll_records": 5_000,
    "max_partition_fetch_bytes": MAX_RECORD_BYTES,
    "request_timeout_ms": 10_000,
    "metrics_enabled": False,
}

#: Tansu's join takes half the session time-out; Kafka's default of 45 s would leave a dead worker's partitions idle.
MEMBER: Final[dict[str, Any]] = {"session_timeout_ms": 6_000, "heartbeat_interval_ms": 500}
#: A poll shorter than this can time out in the middle of every join, and the member never gets partitions.
JOINING_POLL_SECONDS: Final = 0.5
