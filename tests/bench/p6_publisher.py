"""P6: the publisher, from committed events to acknowledged ones, against its two unavoidable parts done bare."""

from __future__ import annotations

import os
from typing import Any

from kafka import KafkaProducer

from acme.bus.settings import PRODUCER
from acme.contracts.envelope import to_record
from commands.outbox.direct import connect
from commands.outbox.lane import Lane
from commands.outbox.link import Link
from commands.outbox.publisher import AT_ONCE, Publisher
from commands.outbox.refill import acknowledged
from commands.outbox.sequencer import number
from tests.bench import events
from tests.bench.measure import Measured, Took, Watch, in_turn, ratio_of, summary
from tests.bench.options import Options

EVENTS = 20_000
WARM = 100


def publisher_run(count: int) -> Took:
    """Numbers, reads, encodes, sends, waits for every acknowledgement, moves the cursors."""
    with Publisher(os.environ["KAFKA_BOOTSTRAP_SERVERS"]) as publisher:
        events.recorded(events.carts(WARM, 1), lambda line: None)
        publisher.drain()
        events.recorded(events.carts(count, 1), lambda line: None)
        watch = Watch()
        watch.start()
        sent = publisher.drain()
        watch.stop()
    return watch.took(sent)


def bare_run(count: int) -> Took:
    """The numbering statement until nothing is left, then a plain producer with the same settings and bytes, flushed.
    What lies between, reading and encoding, is not on the watch."""
    events.recorded(events.carts(count, 1), lambda line: None)
    bootstrap = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
    lane, producer = Lane(), KafkaProducer(bootstrap_servers=bootstrap.split(","), **PRODUCER)
    for topic in ("acme.carts",):
        producer.partitions_for(topic)
    with connect("bench") as connection:
        numbering = Watch()
        numbering.start()
        while number(connection, AT_ONCE):
            pass
        numbering.stop()
    waiting = lane.unpublished(10 * count, lane.epoch().number)
    records = [(event.topic, event.partition, *to_record(event)) for event in waiting]
    sending, futures = Watch(), []
    sending.start()
    for topic, partition, key, value, headers in records:
        futures.append(producer.send(topic, value=value, key=key, headers=headers, partition=partition))
    producer.flush()
    sending.stop()
    _keep(lane, waiting, futures, bootstrap)
    producer.close()
    lane.close()
    return Took(len(waiting), numbering.seconds + sending.seconds, numbering.cpu + sending.cpu)


def _keep(lane: Lane, sent: list[Any], futures: list[Any], bootstrap: str) -> None:
    """The cursors where the publisher would have moved them."""
    link = Link(bootstrap)
    link.verify(lane, lane.epoch().number)
    runs: dict[tuple[str, int], tuple[list[int], list[int]]] = {}
    for event, future in zip(sent, futures, strict=True):
        sequences, offsets = runs.setdefault((event.topic, event.partition), ([], []))
        sequences.append(event.sequence)
        offsets.append(future.value.offset)
    cursors = lane.cursors()
    lane.move([acknowledged(cursors[pair], *run, link.identities[pair[0]]) for pair, run in runs.items()])
    link.close()


def measure(options: Options) -> Measured:
    count = options.size(EVENTS)
    took = in_turn(
        options.rounds, {"publisher": lambda: publisher_run(count), "bare": lambda: bare_run(count)}, options.say
    )
    ratio, spread = ratio_of(took, "publisher", "bare")
    return Measured(
        name="P6",
        what="events published per second, each acknowledged",
        against="bare numbering statement + bare produce of the same bytes",
        ratio=ratio,
        spread=spread,
        goal=0.8,
        detail={"contenders": summary(took)},
        notes="The bare parts are timed alone: reading events back and encoding them is free for them. But they come "
        "one after the other, where the publisher has PostgreSQL number the next events while Kafka takes these.",
    )
