"""A few interleavings of one history, each in topics of its own on a real broker, where records come twice and rubbish
lies between them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import groupby

from msgspec import structs

from acme.bus import Outgoing, Producer, Topics
from acme.contracts.envelope import Envelope, to_record
from acme.contracts.topics import TOPICS
from projections.rebuilding.source import KafkaSource
from projections.runtime.checkpoints import Stream
from tests.contract.history import History


@dataclass
class Carried:
    """``history`` in any interleaving; what Kafka has of one is sent when it is asked for first."""

    history: History
    bootstrap: str
    _streams: dict[int, list[Envelope]] = field(default_factory=dict)
    _identities: dict[int, dict[str, str]] = field(default_factory=dict)

    def interleaving(self, number: int) -> list[Envelope]:
        """In order of the stream; the topics are called after the number."""
        if number not in self._streams:
            events = self.history.interleaved(number)
            self._streams[number] = [structs.replace(e, topic=f"{e.topic}.{number}") for e in events]
        return self._streams[number]

    def source(self, number: int, streams: list[Stream]) -> KafkaSource:
        """Reads partitions of an interleaving from Kafka."""
        return KafkaSource(self.bootstrap, streams, self.identities(number))

    def identities(self, number: int) -> dict[str, str]:
        """Topic → identity; what is not in Kafka yet is sent."""
        if number not in self._identities:
            self._identities[number] = self._send(number)
        return self._identities[number]

    def _send(self, number: int) -> dict[str, str]:
        topics, producer = Topics(self.bootstrap), Producer(self.bootstrap)
        try:
            topics.ensure(replace(topic, name=f"{topic.name}.{number}") for topic in TOPICS)
            by_topic = sorted(self.interleaving(number), key=lambda e: e.topic)
            for name, events in groupby(by_topic, key=lambda e: e.topic):
                records = [Outgoing(name, e.partition, *to_record(e)) for e in events]
                twice = [record for record in records for _ in range(2)]
                rubbish = [Outgoing(name, partition, None, b"{", []) for partition in range(8)]
                producer.send_all([*records[:3], *rubbish, *twice])
            return topics.identities([f"{topic.name}.{number}" for topic in TOPICS])
        finally:
            producer.close()
            topics.close()
