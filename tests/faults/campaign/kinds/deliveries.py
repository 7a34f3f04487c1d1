"""Deliveries that are not once and in order: replays by the operator, old records again, records in changed order."""

from __future__ import annotations

import time
from contextlib import closing, suppress

from kafka import KafkaConsumer, TopicPartition

from acme.bus import BusUnavailable, Outgoing, Producer, Topics
from acme.bus.settings import CONSUMER
from acme.contracts.topics import TOPICS
from tests.faults.campaign.campaign import Campaign
from tests.faults.campaign.kinds.stores import empty_broker

LAST = 60  # records of each partition, at most


def replayed(campaign: Campaign) -> None:
    """The operator has a topic sent again from its beginning."""
    topic = campaign.moments.choice(TOPICS).name
    campaign.shop.manage("relay", "--replay", topic, "--yes")


def written_again(campaign: Campaign) -> None:
    """Somebody writes old records of every topic once more, each twice, in any order."""
    bootstrap = campaign.shop.urls["KAFKA_BOOTSTRAP_SERVERS"]
    records = last_records(bootstrap) * 2
    campaign.moments.shuffle(records)
    _write(bootstrap, records)


def changed_order(campaign: Campaign) -> None:
    """The broker comes back empty and gets records in any order, some not at all, before the publisher fills it."""
    shop = campaign.shop
    bootstrap = shop.urls["KAFKA_BOOTSTRAP_SERVERS"]
    records = last_records(bootstrap)
    with shop.suspended("relay", "web", "worker"):
        with shop.down("kafka"):
            empty_broker(shop)
        shop.wait_running("kafka")
        with closing(Topics(bootstrap)) as topics:
            topics.ensure(TOPICS)
        _write(bootstrap, campaign.moments.sample(records, len(records) * 2 // 3))


def last_records(bootstrap: str) -> list[Outgoing]:
    """The last records of every partition, in no special order; few when the broker is just being filled."""
    _wait_for_topics(bootstrap)
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, group_id=None, **CONSUMER)
    try:
        pairs = [TopicPartition(topic.name, number) for topic in TOPICS for number in range(topic.partitions)]
        consumer.assign(pairs)
        ends = consumer.end_offsets(pairs)
        for pair in pairs:
            consumer.seek(pair, max(0, ends[pair] - LAST))
        found: list[Outgoing] = []
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and (polled := consumer.poll(timeout_ms=500, max_records=5000)):
            found += [
                Outgoing(r.topic, r.partition, r.key, r.value, list(r.headers)) for p in polled.values() for r in p
            ]
        return found
    finally:
        consumer.close()


def _wait_for_topics(bootstrap: str, seconds: float = 60) -> None:
    """An emptied broker has none until the publisher makes them."""
    deadline = time.monotonic() + seconds
    names = [topic.name for topic in TOPICS]
    while True:
        with suppress(BusUnavailable), closing(Topics(bootstrap)) as topics:
            if len(topics.identities(names)) == len(names):
                return
        assert time.monotonic() < deadline, f"the broker has no topics after {seconds:.0f} s"
        time.sleep(0.2)


def _write(bootstrap: str, records: list[Outgoing]) -> None:
    for _ in range(3):
        try:
            with closing(Producer(bootstrap)) as producer:
                producer.send_all(records)
        except BusUnavailable:  # some of them may be written; what is written twice is a fault as well
            time.sleep(0.5)
        else:
            return
