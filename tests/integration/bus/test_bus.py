"""The bus on a real broker: writing, topics, reading in a group, and a broker that goes and comes back."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from acme.bus import (
    BusUnavailable,
    Consumer,
    Outgoing,
    Partition,
    Producer,
    Record,
    RecordRefused,
    TopicMismatch,
    Topics,
)
from acme.contracts.topics import Topic
from tests.broker import Broker

TOPIC = Topic(name="acme.bus-test", aggregates=("thing",))
ALL = {(TOPIC.name, number) for number in range(TOPIC.partitions)}


@pytest.fixture
def topics(kafka_broker: Broker) -> Iterator[Topics]:
    admin = Topics(kafka_broker.url)
    admin.ensure([TOPIC])
    yield admin
    admin.close()


@pytest.fixture
def producer(kafka_broker: Broker, topics: Topics) -> Iterator[Producer]:
    made = Producer(kafka_broker.url)
    yield made
    made.close()


def records(count: int, size: int = 10) -> list[Outgoing]:
    """Spread over the partitions; the value says which of its partition it is."""
    return [
        Outgoing(
            topic=TOPIC.name, partition=n % 8, key=b"key", value=b"%06d" % (n // 8) + b"x" * size, headers=[("h", b"1")]
        )
        for n in range(count)
    ]


class Member:
    """A consumer that reads in a thread of its own, and notes what it gets."""

    def __init__(self, url: str, seek: Callable[[Consumer, Partition], None] | None = None) -> None:
        self.got: list[Record] = []
        self.changes: list[tuple[str, list[Partition]]] = []
        self.commands: list[Callable[[Consumer], None]] = []
        self.held: set[Partition] = set()
        self.connected = False
        self.error: BaseException | None = None
        self._seek = seek
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(url,))
        self._thread.start()

    def _run(self, url: str) -> None:
        try:
            consumer = Consumer(
                url,
                "bus-test",
                [TOPIC.name],
                on_assigned=lambda new: self._assigned(consumer, new),
                on_revoked=self._revoked,
            )
            while not self._stop.is_set():
                while self.commands:
                    self.commands.pop(0)(consumer)
                for (topic, partition), found in consumer.poll(0.2, 500).items():
                    assert (topic, partition) in self.held, "a record of a partition that nobody gave us"
                    self.got.extend(found)
                self.connected = consumer.connected
            consumer.close()
        except BaseException as error:
            self.error = error

    def _assigned(self, consumer: Consumer, new: list[Partition]) -> None:
        self.changes.append(("assigned", new))
        self.held |= set(new)
        for pair in new if self._seek else []:
            self._seek(consumer, pair)

    def _revoked(self, gone: list[Partition]) -> None:
        self.changes.append(("revoked", gone))
        self.held -= set(gone)

    def wait(self, true: Callable[[], bool], seconds: float = 30) -> None:
        deadline = time.monotonic() + seconds
        while not true():
            assert self.error is None, self.error
            assert time.monotonic() < deadline, (self.held, self.changes, len(self.got))
            time.sleep(0.02)

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(20)
        assert self.error is None, self.error


@pytest.fixture
def member(kafka_broker: Broker, topics: Topics) -> Iterator[Callable[..., Member]]:
    made: list[Member] = []

    def make(**options: object) -> Member:
        made.append(Member(kafka_broker.url, **options))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for one in made:
        one.stop()


def test_offsets_come_back_in_the_given_order(producer: Producer, topics: Topics) -> None:
    offsets = producer.send_all(records(80))
    assert offsets == [n // 8 for n in range(80)]
    assert producer.send_all(record for record in records(8)) == [10] * 8
    tails = topics.tails(sorted(ALL))
    assert {pair: tail.end for pair, tail in tails.items()} == dict.fromkeys(ALL, 11)
    last = tails[TOPIC.name, 3].last
    assert last is not None
    assert (last.offset, last.key, last.headers) == (10, b"key", [("h", b"1")])


def test_the_tail_is_read_where_the_broker_reports_it_too_low(producer: Producer, topics: Topics) -> None:
    producer.send_all(records(1))
    producer.send_all(records(8 * 3_000))
    tails = topics.tails(sorted(ALL))
    assert tails[TOPIC.name, 0].end == 3_001
    assert tails[TOPIC.name, 1].end == 3_000
    assert all(tail.last is not None and tail.last.value[:6] == b"002999" for tail in tails.values())


def test_an_empty_partition_has_no_tail(topics: Topics) -> None:
    assert {(tail.end, tail.last) for tail in topics.tails(sorted(ALL)).values()} == {(0, None)}


def test_topics_are_made_once_and_checked(topics: Topics) -> None:
    assert topics.ensure([TOPIC]) == []
    identity = topics.identities([TOPIC.name, "acme.nothing"])
    assert identity.keys() == {TOPIC.name}
    assert topics.identities([TOPIC.name]) == identity
    with pytest.raises(TopicMismatch, match="8 partitions, the contract says 3"):
        topics.ensure([Topic(name=TOPIC.name, aggregates=(), partitions=3)])


def test_nothing_creates_a_topic_by_asking_for_it(kafka_broker: Broker, topics: Topics) -> None:
    consumer = Consumer(kafka_broker.url, "g", ["acme.none"], on_assigned=print, on_revoked=print)
    consumer.poll(0.5)
    producer = Producer(kafka_broker.url)
    with pytest.raises(BusUnavailable):
        producer.send_all([Outgoing("acme.none", 0, b"k", b"v", [])])
    producer.close()
    consumer.close()
    assert topics.identities(["acme.none"]) == {}


def test_a_record_that_is_too_large_is_refused(producer: Producer) -> None:
    assert producer.send_all(records(1, size=2 * 1024 * 1024)) == [0]
    with pytest.raises(RecordRefused):
        producer.send_all(records(1, size=5 * 1024 * 1024))


def test_a_member_reads_everything_in_order(producer: Producer, member: Callable[..., Member]) -> None:
    producer.send_all(records(4_000))
    one = member()
    one.wait(lambda: len(one.got) >= 4_000)
    assert one.held == ALL
    assert sorted((r.partition, r.offset, r.value) for r in one.got) == sorted(
        (r.partition, n // 8, r.value) for n, r in enumerate(records(4_000))
    )
    for partition in range(8):
        offsets = [r.offset for r in one.got if r.partition == partition]
        assert offsets == sorted(offsets)


def test_a_member_starts_where_it_seeks(producer: Producer, member: Callable[..., Member]) -> None:
    producer.send_all(records(800))
    one = member(seek=lambda consumer, pair: consumer.seek(*pair, 90))
    one.wait(lambda: len(one.got) >= 80)
    time.sleep(0.5)
    assert {r.offset for r in one.got} == set(range(90, 100)), "nothing from before the seek"
    one.commands.append(lambda consumer: consumer.pause([(TOPIC.name, 1)]))
    one.commands.append(lambda consumer: [consumer.seek_to_beginning(*pair) for pair in sorted(ALL)])
    one.wait(lambda: len(one.got) >= 80 + 700)
    assert sum(r.partition == 1 for r in one.got) == 10
    one.commands.append(lambda consumer: consumer.resume([(TOPIC.name, 1)]))
    one.wait(lambda: len(one.got) == 80 + 800)


def test_a_second_member_takes_half_and_gives_it_back(producer: Producer, member: Callable[..., Member]) -> None:
    first = member()
    first.wait(lambda: first.held == ALL)
    second = member()
    second.wait(lambda: len(second.held) == 4 and not first.held & second.held)
    assert first.held | second.held == ALL
    assert first.changes[1] == ("revoked", sorted(second.held)), "only what moves is revoked"
    second.stop()
    first.wait(lambda: first.held == ALL)
    producer.send_all(records(16))
    first.wait(lambda: len(first.got) == 16)


def test_a_broker_that_is_down_is_visible_and_comes_back_empty(
    kafka_broker: Broker, producer: Producer, topics: Topics, member: Callable[..., Member]
) -> None:
    """The same consumer and admin objects go on; a producer is made anew."""
    producer.send_all(records(80))
    one = member(seek=lambda consumer, pair: consumer.seek_to_beginning(*pair))
    one.wait(lambda: len(one.got) == 80 and one.connected)
    before = topics.identities([TOPIC.name])
    kafka_broker.kill()
    one.wait(lambda: not one.connected)
    with pytest.raises(BusUnavailable):
        topics.identities([TOPIC.name])
    with pytest.raises(BusUnavailable):
        Topics(kafka_broker.url)
    beats: list[None] = []
    with pytest.raises(BusUnavailable):
        producer.send_all(records(8), heartbeat=lambda: beats.append(None))
    assert len(beats) >= 3, "the caller can show that it lives"
    producer.close()
    kafka_broker.start_empty()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            assert topics.identities([TOPIC.name]) == {}
            break
        except BusUnavailable:
            time.sleep(0.1)
    topics.ensure([TOPIC])
    assert topics.identities([TOPIC.name]).keys() == before.keys()
    assert topics.identities([TOPIC.name]) != before
    again = Producer(kafka_broker.url)
    assert again.send_all(records(160)) == [n // 8 for n in range(160)]
    again.close()
    one.got.clear()
    one.commands.append(lambda consumer: [consumer.seek_to_beginning(*pair) for pair in sorted(ALL)])
    one.wait(lambda: {(r.partition, r.offset) for r in one.got} == {(p, o) for p in range(8) for o in range(20)})
    assert one.connected
