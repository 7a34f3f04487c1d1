"""`manage.py relay` and `create_topics` as an operator uses them: output, exit codes, questions."""

from __future__ import annotations

import json
import signal

import pytest
from kafka.admin import KafkaAdminClient

from acme.contracts.topics import DEAD_LETTERS, TOPICS
from commands.outbox.models import LogEpoch, StreamHead
from commands.outbox.publisher import Publisher
from tests.broker import Broker
from tests.integration.outbox.conftest import assert_complete, manage, read_kafka, record_events, wait_until

NOWHERE = "127.0.0.1:1"


def run(url: str, *arguments: str) -> tuple[int, str]:
    command = manage(url, *arguments)
    output, _ = command.communicate(timeout=90)
    return command.returncode, output


def test_once_publishes_and_ends(publisher: Publisher, kafka_broker: Broker) -> None:
    record_events(12)
    code, output = run(kafka_broker.url, "relay", "--once", "--json")
    assert (code, json.loads(output.splitlines()[-1])) == (0, {"sent": 12})
    assert_complete(read_kafka(kafka_broker.url))


def test_replay_sends_one_topic_again(publisher: Publisher, kafka_broker: Broker) -> None:
    record_events(12)
    record_events(5, aggregate_type="order")
    publisher.drain()
    code, output = run(kafka_broker.url, "relay", "--replay", "acme.orders", "--yes")
    assert code == 0, output
    assert "5 events were sent" in output
    shown = read_kafka(kafka_broker.url)
    assert assert_complete(shown) == 5
    twice = {topic for (topic, _), events in shown.items() if len(events) > len({e.sequence for e in events})}
    assert twice == {"acme.orders"}
    assert run(kafka_broker.url, "relay", "--replay", "--yes", "--json")[1].splitlines()[-1] == '{"sent": 17}'
    assert assert_complete(read_kafka(kafka_broker.url)) == 5 + 17


def test_what_is_destructive_asks(publisher: Publisher, kafka_broker: Broker) -> None:
    record_events(1)
    publisher.drain()
    heads = list(StreamHead.objects.values())
    for option in ("--replay", "--new-epoch"):
        code, output = run(kafka_broker.url, "relay", option)
        assert (code, "--yes" in output) == (2, True)
    assert list(StreamHead.objects.values()) == heads
    assert not LogEpoch.objects.exists()


@pytest.mark.parametrize("arguments", [("--replay", "acme.nonsense"), ("--once", "--new-epoch"), ("--nonsense",)])
def test_usage_errors_end_with_2(publisher: Publisher, arguments: tuple[str, ...]) -> None:
    assert run(NOWHERE, "relay", *arguments)[0] == 2


@pytest.mark.parametrize("arguments", [("relay", "--once"), ("create_topics",)])
def test_without_kafka_it_ends_with_3(publisher: Publisher, arguments: tuple[str, ...]) -> None:
    record_events(1)
    code, output = run(NOWHERE, *arguments)
    assert code == 3
    assert "Kafka cannot be reached" in output
    assert "Traceback" not in output


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_daemon_stops_cleanly(publisher: Publisher, kafka_broker: Broker, number: signal.Signals) -> None:
    daemon = manage(kafka_broker.url, "relay")
    record_events(4)
    wait_until(lambda: sum(StreamHead.objects.values_list("published", flat=True)) == 4, seconds=60)
    daemon.send_signal(number)
    output, _ = daemon.communicate(timeout=20)
    assert daemon.returncode == 0, output
    assert "4 events were sent" in output


def test_topics_are_created_with_the_contracts_partitions(kafka_broker: Broker, shop_database: None) -> None:
    code, output = run(kafka_broker.url, "create_topics", "--json")
    assert code == 0
    assert set(json.loads(output.splitlines()[-1])["created"]) == {topic.name for topic in (*TOPICS, DEAD_LETTERS)}
    admin = KafkaAdminClient(bootstrap_servers=kafka_broker.url)
    found = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics()}
    assert found == {topic.name: topic.partitions for topic in (*TOPICS, DEAD_LETTERS)}
    assert run(kafka_broker.url, "create_topics")[1].strip() == "all topics are there"
    admin.delete_topics(["acme.carts"])
    admin.create_topics({"acme.carts": {"num_partitions": 3, "replication_factor": 1}})
    admin.close()
    code, output = run(kafka_broker.url, "create_topics")
    assert (code, "acme.carts has 3 partitions, the contract says 8" in output) == (1, True)
