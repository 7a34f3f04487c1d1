"""What a rebuild from Kafka says when Kafka is away, and when it is there and has not all."""

from __future__ import annotations

from typing import cast

import pytest

from acme.bus import BusUnavailable
from acme.ports import EventLog, StreamHead
from projections.rebuilding.source import KafkaSource, SourceIncomplete
from projections.runtime.checkpoints import Checkpoint
from tests.broker import Broker
from tests.contract.carried import Carried
from tests.contract.feeding import WholeLog
from tests.contract.history import History

SEED = 3


@pytest.fixture
def source(kafka_broker: Broker, monkeypatch: pytest.MonkeyPatch) -> tuple[KafkaSource, StreamHead]:
    """All of one partition, and where the log stands there."""
    carried = Carried(History(5, size=2), kafka_broker.url)
    log = cast(EventLog, WholeLog(carried.interleaving(SEED)))
    head = log.heads([f"acme.catalog.{SEED}"])[0]
    made = carried.source(SEED, [(head.topic, head.partition)])
    made.start({(head.topic, head.partition): Checkpoint(topic=head.topic, partition=head.partition)})
    monkeypatch.setattr(KafkaSource, "PATIENCE", 2)
    return made, head


def test_a_kafka_that_is_away_is_an_engine_and_no_gap(
    source: tuple[KafkaSource, StreamHead], kafka_broker: Broker
) -> None:
    reader, head = source
    kafka_broker.kill()
    with pytest.raises(BusUnavailable):
        read(reader, head, beyond=1)
    reader.close()


def test_a_kafka_that_has_not_all_is_said(source: tuple[KafkaSource, StreamHead]) -> None:
    reader, head = source
    with pytest.raises(SourceIncomplete, match="Kafka brings nothing more"):
        read(reader, head, beyond=1)
    reader.close()


def read(reader: KafkaSource, head: StreamHead, *, beyond: int) -> None:
    """Up to so many events behind the log's end."""
    held = Checkpoint(topic=head.topic, partition=head.partition)
    while held.sequence < head.sequence + beyond:
        for item in reader.next(held, head, 100):
            held = held.after(item.envelope, offset=item.offset, topic_identity="")
