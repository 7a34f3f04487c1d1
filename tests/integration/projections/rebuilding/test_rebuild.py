"""`projector rebuild` beside real workers, writers and readers: nobody ever reads less, nothing, or something older."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from acme.bus import Outgoing, Producer, Topics
from acme.contracts.envelope import to_record
from acme.contracts.topics import TOPICS
from acme.ports import event_log
from projections.registry import PROJECTIONS
from queries.reading import find_by_ids
from tests.faults.processes import ask
from tests.integration.projections.conftest import Shop, wait_until
from tests.oracle import compare_with_log


class Reader:
    """Reads documents all the time, as queries do: through the cached pointer."""

    def __init__(self, ids: list[str]) -> None:
        self.reads, self.wrong = 0, list[str]()
        self._ids, self._seen = ids, dict[str, int]()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                found = find_by_ids("products", self._ids)
            except Exception as error:
                self.wrong.append(f"failed: {error!r}")
                continue
            self.reads += 1
            for key in self._ids:
                version = found.get(key, {}).get("product", {}).get("version", 0)
                if version < self._seen.get(key, 1):
                    self.wrong.append(f"{key} was {self._seen.get(key)}, is {version}")
                self._seen[key] = version

    def __enter__(self) -> Reader:
        self._thread.start()
        return self

    def __exit__(self, *args: object) -> None:
        self._stop.set()
        self._thread.join(30)


@pytest.fixture
def filled(shop: Shop, point_mongodb: Callable[[str], None]) -> Shop:
    point_mongodb(f"{shop.mongo.url.rpartition('/')[0]}/acme")
    shop.act(60)
    shop.process("products")
    shop.settled("products")
    return shop


def current(shop: Shop, generation: int) -> bool:
    return not compare_with_log(shop.store, [PROJECTIONS["products"]], generation)["products"]


def test_nobody_reads_less_while_it_is_rebuilt_swapped_and_taken_back(filled: Shop) -> None:
    ids = [str(product) for product, _ in filled.products[:20]]
    with Reader(ids) as reader:
        with filled.traffic(2, 0.05):
            made = ask(filled, "rebuild", "products")
            assert made.code == 0, made.json
            again = ask(filled, "rebuild", "products", "--source", "kafka", "--workers", "1")
            assert again.code == 0, again.json
            back = ask(filled, "rebuild", "products", "--rollback")
            assert back.code == 0, back.json
        assert (made.json["live"], again.json["live"], back.json["live"]) == (2, 3, 2)
        filled.settled("products")
        wait_until(lambda: current(filled, 3), 30)
        dropped = ask(filled, "rebuild", "products", "--drop-old", "--yes")
        assert (dropped.code, dropped.json["dropped"]) == (0, [3])
    print(reader.reads, "reads", made.json, again.json)
    assert not reader.wrong, reader.wrong[:5]
    assert reader.reads > 100


def test_kafka_that_does_not_reach_back_is_refused(filled: Shop) -> None:
    """What it holds begins with the second event of a partition, and the log has all of it; then it has all of it as
    well, with garbage and twice."""
    filled.broker.restart()
    producer, log = _producer(filled), event_log()
    heads = log.heads(PROJECTIONS["products"].topics)
    producer.send_all(
        Outgoing(event.topic, event.partition, *to_record(event))
        for head in heads
        for event in log.read(head.topic, head.partition, 2, head.sequence)
    )
    producer.close()
    refused = ask(filled, "rebuild", "products", "--source", "kafka")
    assert refused.code == 1 and "lacks sequence 1 to 1" in refused.json["error"], refused.json
    row = ask(filled, "status", "products").json["projections"][0]
    assert row["building"]["generation"] == 2 and "rebuild unfinished" in row["states"]
    filled.broker.restart()
    producer = _producer(filled)
    producer.send_all([Outgoing("acme.catalog", 3, b"x", b"garbage", [])])
    for _ in range(2):  # all of it twice
        producer.send_all(
            Outgoing(event.topic, event.partition, *to_record(event))
            for head in heads
            for event in log.read(head.topic, head.partition, 1, head.sequence)
        )
    producer.close()
    made = ask(filled, "rebuild", "products", "--source", "kafka")
    assert (made.code, made.json["live"], made.json["resumed"]) == (0, 2, True), made.json
    assert current(filled, 2)


def _producer(shop: Shop) -> Producer:
    """For a Kafka that has just become empty."""
    topics = Topics(shop.broker.url)
    topics.ensure(TOPICS)
    topics.close()
    return Producer(shop.broker.url)
