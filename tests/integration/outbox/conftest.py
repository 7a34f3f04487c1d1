"""An own broker, an emptied database, events in its log, and what Kafka shows, read by kafka-python itself."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, connections, transaction
from kafka import KafkaConsumer, TopicPartition

from acme.bus.client import net_client
from acme.contracts.envelope import Envelope, from_record
from acme.contracts.topics import BY_AGGREGATE, TOPICS, partition_of
from commands.aggregate import new_id
from commands.outbox.log import insert_events
from commands.outbox.models import DomainEvent, StreamHead
from commands.outbox.publisher import Publisher
from tests.broker import Broker

PROJECT = Path(__file__).resolve().parents[3]
PARTITIONS = [TopicPartition(topic.name, number) for topic in TOPICS for number in range(topic.partitions)]
Shown = dict[tuple[str, int], list[Envelope]]


@pytest.fixture
def publisher(kafka_broker: Broker, shop_database: None) -> Iterator[Publisher]:
    """On a broker of its own (`kafka_broker`) and an empty log."""
    with Publisher(kafka_broker.url) as made:
        yield made


def event_row(
    aggregate_id: UUID | None = None, version: int = 1, aggregate_type: str = "cart", **more: Any
) -> DomainEvent:
    """A row for the log, not stored yet."""
    owner = aggregate_id or uuid4()
    topic = BY_AGGREGATE[aggregate_type]
    fields = {
        "event_id": new_id(),
        "topic": topic.name,
        "partition": partition_of(topic, owner),
        "aggregate_type": aggregate_type,
        "aggregate_id": owner,
        "aggregate_version": version,
        "event_type": "SomethingHappened",
        "schema_version": 1,
        "data": {"version": version},
        "personal": None,
        "metadata": {"actor": "test"},
        "occurred_at": datetime.now(UTC),
        "recorded_at": datetime.now(UTC),
    }
    return DomainEvent(**{**fields, **more})


def record_events(count: int, aggregate_type: str = "cart") -> list[DomainEvent]:
    """Commits so many events of different aggregates, in one transaction."""
    rows = [event_row(aggregate_type=aggregate_type) for _ in range(count)]
    with transaction.atomic():
        insert_events(rows)
    return list(DomainEvent.objects.filter(event_id__in=[row.event_id for row in rows]).order_by("position"))


def read_kafka(url: str, quiet_ms: int = 400) -> Shown:
    """Everything in all partitions, in order, duplicates included."""
    reader = KafkaConsumer(
        bootstrap_servers=url,
        enable_auto_commit=False,
        fetch_max_wait_ms=20,
        max_poll_records=5_000,
        kafka_client=net_client,
    )
    reader.assign(PARTITIONS)
    reader.seek_to_beginning(*PARTITIONS)
    shown: Shown = {}
    while found := reader.poll(quiet_ms):
        for tp, records in found.items():
            envelopes = [from_record(r.topic, r.partition, r.value, r.headers) for r in records]
            shown.setdefault((tp.topic, tp.partition), []).extend(envelopes)
    reader.close()
    return shown


def assert_complete(shown: Shown, *, epoch: int = 1, in_order: bool = True) -> int:
    """Kafka has every event of the log; returns the number of duplicates.

    ``in_order``: within each partition they first arrived without a hole, as is promised while Kafka is not replaced
    under an open connection.
    """
    assert not DomainEvent.objects.filter(sequence=None).exists()
    duplicates = 0
    logged: dict[tuple[str, int], list[tuple[int, UUID]]] = {}
    for row in DomainEvent.objects.order_by("topic", "partition", "sequence"):
        logged.setdefault((row.topic, row.partition), []).append((row.sequence, row.event_id))
    for pair, expected in logged.items():
        assert [sequence for sequence, _ in expected] == list(range(1, len(expected) + 1)), f"{pair} is not dense"
        highest, seen = 0, []
        for envelope in shown.get(pair, []):
            if envelope.log_epoch != epoch:
                continue
            if envelope.sequence > highest + 1:
                assert not in_order, f"{pair}: {envelope.sequence} came before {highest + 1}"
                continue
            if envelope.sequence == highest + 1:
                highest += 1
                seen.append((envelope.sequence, envelope.event_id))
            else:
                duplicates += 1
                assert seen[envelope.sequence - 1] == (envelope.sequence, envelope.event_id)
        assert seen == expected, f"{pair}: Kafka has {len(seen)} of {len(expected)}"
    for head in StreamHead.objects.all():
        assert head.sequence == head.published == len(logged.get((head.topic, head.partition), []))
    return duplicates


def wait_until(true: Callable[[], Any], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)


def manage_environment(broker_url: str) -> dict[str, str]:
    """For a manage.py in another process: this test's database and broker."""
    settings = connection.settings_dict
    url = f"postgresql://{settings['USER']}:{settings['PASSWORD']}@{settings['HOST']}:{settings['PORT']}/{settings['NAME']}"
    return {**os.environ, "DATABASE_URL": url, "KAFKA_BOOTSTRAP_SERVERS": broker_url}


def manage(broker_url: str, *arguments: str, **options: Any) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "manage.py", *arguments],
        cwd=PROJECT,
        env=manage_environment(broker_url),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **options,
    )


def in_thread(work: Callable[[], Any]) -> Callable[[], Any]:
    """For threads of a test: closes the thread's own database connection afterwards."""

    def run() -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    return run
