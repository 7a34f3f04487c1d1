"""What a rebuild from Kafka says when Kafka is away, and when it is there and has not all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest
from pymongo import MongoClient

from acme.bus import BusUnavailable
from acme.ports import EventLog
from projections.rebuilding.fill import Filler
from projections.rebuilding.source import KafkaSource, SourceIncomplete
from projections.registry import PROJECTIONS
from projections.runtime.applier import Applier
from projections.runtime.checkpoints import Checkpoint
from tests.broker import Broker
from tests.contract.carried import Carried
from tests.contract.feeding import WholeLog
from tests.contract.history import History, plain_unseal

SEED = 3


@pytest.fixture
def beyond(kafka_broker: Broker, monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """All of one partition was read; the call asks for one event more."""
    carried = Carried(History(5, size=2), kafka_broker.url)
    log = cast(EventLog, WholeLog(carried.interleaving(SEED)))
    head = log.heads([f"acme.catalog.{SEED}"])[0]
    reader = carried.source(SEED, [(head.topic, head.partition)])
    held = Checkpoint(topic=head.topic, partition=head.partition)
    reader.start({held.stream: held})
    while held.sequence < head.sequence:
        for item in reader.next(held, head, 100):
            held = held.after(item.envelope, offset=item.offset, topic_identity="")
    monkeypatch.setattr(KafkaSource, "PATIENCE", 2)

    def ask() -> None:
        try:
            while not reader.next(held, head, 100):
                pass
        finally:
            reader.close()

    return ask


def test_a_kafka_that_is_away_is_an_engine_and_no_gap(beyond: Callable[[], None], kafka_broker: Broker) -> None:
    kafka_broker.kill()
    with pytest.raises(BusUnavailable):
        beyond()


def test_a_kafka_that_has_not_all_is_said(beyond: Callable[[], None]) -> None:
    with pytest.raises(SourceIncomplete, match="Kafka brings nothing more"):
        beyond()


def test_a_rebuild_waits_for_a_kafka_that_is_away_and_gives_up_in_the_end(
    kafka_broker: Broker, mongo: str, mongo_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The filler begins the source anew each time, and must not take that for progress."""
    monkeypatch.setattr(KafkaSource, "PATIENCE", 1)
    projection, carried = PROJECTIONS["categories"], Carried(History(5, size=2), kafka_broker.url)
    stream = [event for event in carried.interleaving(SEED) if event.topic == f"acme.catalog.{SEED}"]
    streams = sorted({(event.topic, event.partition) for event in stream})
    source, log = carried.source(SEED, streams), cast(EventLog, WholeLog(stream))
    kafka_broker.kill()
    with MongoClient[Any](mongo, tz_aware=True) as client:
        applier = Applier(projection, 2, client[mongo_database], plain_unseal)
        with pytest.raises(BusUnavailable):
            Filler(applier, source, log, streams, patience=2.0).fill()
    source.close()
