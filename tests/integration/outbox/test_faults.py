"""What must survive: a killed publisher, a Kafka that is down, emptied, replaced, or ahead of the log."""

from __future__ import annotations

import json
import os
import random
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import psycopg
import pytest
from django.db import connection
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient

from acme.bus import BusUnavailable, TopicMismatch, Topics
from acme.contracts.envelope import to_record
from acme.contracts.topics import TOPICS
from commands.outbox import wake
from commands.outbox.columns import NAMES, envelope_of
from commands.outbox.lane import Lane
from commands.outbox.link import Halted
from commands.outbox.log import PostgresEventLog, current_epoch
from commands.outbox.models import DomainEvent, LogEpoch, StreamHead
from commands.outbox.publisher import Publisher
from tests.broker import Broker
from tests.integration.outbox.conftest import (
    assert_complete,
    event_row,
    in_thread,
    manage,
    read_kafka,
    record_events,
    wait_until,
)

SEED = random.SystemRandom().randrange(1_000_000)


def test_a_publisher_killed_at_random_moments_loses_nothing(publisher: Publisher, kafka_broker: Broker) -> None:
    """kill -9 of a publishing process twenty times while a thread records events."""
    print(f"seed {SEED}")
    chance = random.Random(SEED)
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            record_events(chance.randint(1, 60))
            time.sleep(0.01)

    with ThreadPoolExecutor(1) as writer:
        writer.submit(in_thread(write))
        try:
            for _ in range(20):
                before = _published()
                child = _fork_publisher(kafka_broker.url)
                wait_until(lambda before=before: _published() > before)
                time.sleep(chance.uniform(0, 0.1))
                os.kill(child, signal.SIGKILL)
                os.waitpid(child, 0)
        finally:
            stop.set()
    wait_until(lambda: not _sessions("acme-publisher"))  # PostgreSQL has noticed that the last one is dead
    publisher.drain()
    duplicates = assert_complete(read_kafka(kafka_broker.url))
    print(json.dumps({"events": DomainEvent.objects.count(), "duplicates": duplicates}))


def test_a_publisher_killed_before_its_cursor_moves_sends_twice(
    publisher: Publisher, kafka_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_events(100)
    monkeypatch.setattr(Lane, "move", lambda lane, cursors: os._exit(9) if any(c.published for c in cursors) else None)
    child = _fork_publisher(kafka_broker.url)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    monkeypatch.undo()
    wait_until(lambda: not _sessions("acme-publisher"))
    assert _published() == 0
    assert publisher.drain() == 100
    assert assert_complete(read_kafka(kafka_broker.url)) == 100


def _fork_publisher(url: str) -> int:
    """A process that publishes until it is killed; returns its pid."""
    child = os.fork()
    if child:
        return child
    try:
        with Publisher(url) as publisher:
            while True:
                publisher.drain()
    finally:
        os._exit(1)


def test_a_session_ended_by_postgresql_is_made_anew(publisher: Publisher, kafka_broker: Broker) -> None:
    record_events(3)
    publisher.drain()
    record_events(3)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'acme-publisher' AND datname = current_database()"
        )
    with pytest.raises(psycopg.OperationalError):
        publisher.drain()
    assert publisher.drain() == 3
    assert_complete(read_kafka(kafka_broker.url))


def test_kafka_down_delays_and_the_thread_catches_up_by_itself(publisher: Publisher, kafka_broker: Broker) -> None:
    record_events(10)
    publisher.drain()
    kafka_broker.kill()
    thread = wake.PublisherThread(kafka_broker.url)
    thread.start()
    record_events(10)
    thread.wake()  # the only one
    time.sleep(1)
    assert _published() == 10
    kafka_broker.start()
    wait_until(lambda: _published() == 20, seconds=40)
    thread.stop()
    assert_complete(read_kafka(kafka_broker.url))


def test_kafka_down_says_so(publisher: Publisher, kafka_broker: Broker) -> None:
    record_events(1)
    publisher.drain()
    kafka_broker.kill()
    record_events(1)
    with pytest.raises(BusUnavailable):
        publisher.drain(look_at_kafka=True)
    kafka_broker.start()
    assert publisher.drain() == (1 if kafka_broker.keeps else 2), "and what it kept is not sent again"
    assert assert_complete(read_kafka(kafka_broker.url)) == 0


def test_an_emptied_kafka_is_filled_again_without_any_new_event(publisher: Publisher, kafka_broker: Broker) -> None:
    relay = manage(kafka_broker.url, "relay")
    record_events(2_500)
    try:
        wait_until(lambda: _published() == 2_500, seconds=60)
        for _ in range(2):
            before = _identities()
            kafka_broker.kill()
            kafka_broker.start_empty()
            wait_until(lambda before=before: _identities().isdisjoint(before) and _published() == 2_500, seconds=60)
            assert assert_complete(read_kafka(kafka_broker.url)) == 0
        relay.terminate()
        assert "7500 events were sent" in relay.communicate(timeout=20)[0]
        assert relay.returncode == 0
    finally:
        relay.kill()


def test_a_kafka_emptied_behind_an_open_connection_is_noticed(
    publisher: Publisher, kafka_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two looks at the identities, offsets that do not rise give it away."""
    record_events(400)
    publisher.drain()
    monkeypatch.setattr("commands.outbox.link.IDENTITY_SECONDS", 3600)
    _empty(kafka_broker.url)
    record_events(400)
    publisher.drain()
    assert_complete(read_kafka(kafka_broker.url), in_order=False)


def test_a_topic_deleted_alone_is_filled_again(publisher: Publisher, kafka_broker: Broker) -> None:
    record_events(50)
    record_events(50, aggregate_type="order")
    publisher.drain()
    _empty(kafka_broker.url, "acme.orders")
    time.sleep(1)
    assert publisher.drain(look_at_kafka=True) == 50
    assert assert_complete(read_kafka(kafka_broker.url)) == 0


def test_a_kafka_ahead_of_the_log_halts_until_a_new_epoch(publisher: Publisher, kafka_broker: Broker) -> None:
    """As after a restore of PostgreSQL: Kafka has a later sequence than the log."""
    rows = record_events(30)
    publisher.drain()
    row = DomainEvent.objects.get(pk=rows[-1].pk)
    head = StreamHead.objects.get(topic=row.topic, partition=row.partition)
    row.sequence = head.sequence + 1
    _write(kafka_broker.url, row)
    publisher.close()
    for _ in range(2):
        record_events(1, aggregate_type="order")
        with pytest.raises(Halted, match=f"Kafka has sequence {head.sequence + 1}, the log ends at {head.sequence}"):
            publisher.drain(look_at_kafka=True)
    published = _published()
    assert published == 30, "nothing goes out any more"
    assert f"{row.topic}[{row.partition}]" in LogEpoch.objects.get(epoch=1).halted_reason
    once = manage(kafka_broker.url, "relay", "--once")
    assert "halted until" in once.communicate(timeout=60)[0]
    assert once.returncode == 1

    command = manage(kafka_broker.url, "relay", "--new-epoch", "--yes", "--json")
    assert json.loads(command.communicate(timeout=60)[0].splitlines()[-1]) == {"epoch": 2}
    assert current_epoch() == 2
    assert {head.log_epoch for head in PostgresEventLog().heads(["acme.carts"])} == {2}
    assert publisher.drain() == 32
    assert assert_complete(read_kafka(kafka_broker.url), epoch=2) == 0
    publisher.close()
    record_events(1)
    assert publisher.drain() == 1, "what Kafka has of the old epoch disturbs nothing"
    assert_complete(read_kafka(kafka_broker.url), epoch=2)


def test_another_event_under_a_sequence_halts(publisher: Publisher, kafka_broker: Broker) -> None:
    (row,) = record_events(1)
    publisher.drain()
    _write(kafka_broker.url, event_row(row.aggregate_id, sequence=1))
    publisher.close()
    with pytest.raises(Halted, match="sequence 1 is event"):
        publisher.drain(look_at_kafka=True)


def test_a_log_of_an_older_epoch_than_kafkas_halts(publisher: Publisher, kafka_broker: Broker) -> None:
    (row,) = record_events(1)
    LogEpoch.objects.create(epoch=3, started_at=datetime.now(UTC))
    publisher.drain()
    LogEpoch.objects.all().delete()
    publisher.close()
    with pytest.raises(Halted, match="records of log epoch 3, the log is in epoch 1"):
        publisher.drain(look_at_kafka=True)
    assert row.topic in LogEpoch.objects.get(epoch=1).halted_reason


def _published() -> int:
    return sum(StreamHead.objects.values_list("published", flat=True))


def _identities() -> set[str]:
    return set(StreamHead.objects.values_list("topic_identity", flat=True))


def _sessions(application: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s AND datname = current_database()",
            [application],
        )
        return int(cursor.fetchone()[0])


def _write(url: str, row: DomainEvent) -> None:
    """Puts a record into Kafka that the log does not have like this."""
    key, value, headers = to_record(envelope_of([getattr(row, name) for name in NAMES], 1))
    producer = KafkaProducer(bootstrap_servers=url)
    producer.send(row.topic, value, key, headers, partition=row.partition).get(10)
    producer.close()


def _empty(url: str, *topics: str) -> None:
    """Deletes topics (default: all) and makes them anew, as whoever is first after a restart would."""
    admin = KafkaAdminClient(bootstrap_servers=url)
    names = list(topics) or admin.list_topics()
    admin.delete_topics(names)
    admin.create_topics({name: {"num_partitions": 8, "replication_factor": 1} for name in names})
    admin.close()


def test_a_topic_that_somebody_made_otherwise_is_named(publisher: Publisher, kafka_broker: Broker) -> None:
    """A broker makes a topic with its own partition count for a client that only asks; nothing is sent to it."""
    with closing(Topics(kafka_broker.url)) as topics:
        topics.ensure([replace(topic, partitions=4) for topic in TOPICS])
    record_events(10)
    with pytest.raises(TopicMismatch, match=r"acme\.\w+ has 4 partitions, the contract says 8"):
        publisher.drain()
    assert not StreamHead.objects.filter(published__gt=0).exists()
