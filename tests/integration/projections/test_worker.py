"""Workers on real engines that fail under them."""

from __future__ import annotations

import random
import signal
import time
from dataclasses import replace

import psycopg
import pytest
from kafka import KafkaProducer

from acme import metrics
from acme.contracts.envelope import to_record
from acme.ports import event_log
from commands.outbox.sequencer import number
from projections.registry import PROJECTIONS
from projections.runtime import requests
from projections.runtime.batch_size import BatchSize
from projections.runtime.checkpoints import store_incarnation
from projections.runtime.letterbox import Selection
from tests.integration.projections.conftest import QUICK, Shop, wait_until


def test_a_running_worker_survives_a_killed_store(shop: Shop) -> None:
    """SIGKILL to MongoDB at random moments under load; the worker is not restarted and nothing happens afterwards."""
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    moments = random.Random(seed)
    shop.worker("products")
    for _ in range(5):
        shop.act(25)
        time.sleep(moments.uniform(0, 0.3))
        shop.mongo.kill()
        shop.act(5)
        shop.mongo.start()
        time.sleep(moments.uniform(0, 1.5))
    shop.settled("products")


def test_a_lost_tail_is_noticed_without_any_new_event(shop: Shop) -> None:
    """The store goes back to an earlier moment while the worker idles: documents and checkpoints together."""
    shop.worker("products")
    shop.act(30)
    shop.settled("products")
    before = {name: list(shop.store[name].find()) for name in ("products__g1", "projection_checkpoints")}
    shop.act(30)
    shop.settled("products")
    for name, documents in before.items():
        shop.store[name].delete_many({})
        if documents:
            shop.store[name].insert_many(documents)
    assert shop.differences("products")
    shop.settled("products")


def test_a_broker_that_comes_back_empty(shop: Shop) -> None:
    """Killed with unprojected events in it; they come from the log until the publisher has filled Kafka again."""
    shop.worker("products")
    shop.act(20)
    shop.settled("products")
    shop.broker.kill()
    shop.act(20, publish=False)
    shop.broker.start_empty()
    shop.act(20)
    shop.settled("products")


def test_what_kafka_never_delivers_comes_from_the_log(shop: Shop) -> None:
    """Kafka dies with events numbered but not sent; and it stays down."""
    shop.worker("products")
    shop.act(20)
    shop.settled("products")
    shop.broker.kill()
    shop.act(10, publish=False)
    with psycopg.connect(shop.database_url, autocommit=True) as connection:
        assert number(connection, 1000) > 0
    shop.settled("products")


def test_garbage_in_a_topic_changes_nothing(shop: Shop) -> None:
    shop.worker("products")
    shop.act(5)
    producer = KafkaProducer(bootstrap_servers=shop.broker.url)
    for partition in range(8):
        for value, headers in [(b"\xff\xfe", []), (b"[]", [("ce_id", b"x")]), (b"{}", [("ce_sequence", b"99")])]:
            producer.send("acme.catalog", value, partition=partition, headers=headers)
    # Complete attributes with values that nobody can keep: what one of them does must not end a worker.
    event = next(iter(event_log().read("acme.catalog", 0, 1, 1)), None) or next(
        e for n in range(1, 8) for e in event_log().read("acme.catalog", n, 1, 1)
    )
    key, value, headers = to_record(event)
    strange = {"ce_aggregateversion": b"9" * 30, "ce_time": b"2026-11-24T10:00:00", "ce_sequence": b"0" * 400 + b"7"}
    strange["ce_recordedtime"] = b"0001-01-01T00:00:00+23:00"
    for name, text in strange.items():
        changed = [(n, text if n == name else v) for n, v in headers]
        producer.send("acme.catalog", value, key=key, partition=event.partition, headers=changed)
    producer.send("acme.catalog", b'{"a":' * 9000 + b"1" + b"}" * 9000, partition=event.partition, headers=headers)
    producer.flush()
    producer.close()
    shop.act(20)
    shop.settled("products")
    letters = shop.store["projection_dead_letters"]
    wait_until(lambda: letters.count_documents({"sequence": None}) == 8 * 3 + len(strange) + 1)
    parked = metrics.PROJECTION_PARKED.labels(projection="products")._value.get()
    shop.store["projection_checkpoints"].delete_many({})  # everything is read once more
    shop.settled("products")
    wait_until(lambda: shop.store["projection_checkpoints"].count_documents({}) > 0)
    shop.act(5)
    shop.settled("products")
    assert letters.count_documents({"sequence": None}) == 8 * 3 + len(strange) + 1
    assert metrics.PROJECTION_PARKED.labels(projection="products")._value.get() == parked


def test_two_processes_share_and_hand_over(shop: Shop) -> None:
    """Killing one hands its partitions to the other; one suspended past its session time-out does no harm."""
    first, second = shop.process("products"), shop.process("products")
    wait_until(lambda: len([p for p in shop.heartbeats("products").values() if p]) == 2, 60)
    wait_until(lambda: {len(p) for p in shop.heartbeats("products").values()} == {8}, 60)
    shop.act(40)
    shop.settled("products")

    second.send_signal(signal.SIGSTOP)
    shop.act(60)  # some of these lie in the partitions of the one that sleeps
    wait_until(lambda: len(shop.heartbeats("products")[first.pid]) == 16, 60)
    shop.settled("products")
    shop.act(40)
    second.send_signal(signal.SIGCONT)
    shop.act(40)
    shop.settled("products")
    assert first.poll() is None
    assert second.poll() is None
    wait_until(lambda: {len(p) for p in shop.heartbeats("products").values()} == {8}, 60)

    first.kill()
    shop.act(40)
    wait_until(lambda: len(shop.heartbeats("products")[second.pid]) == 16, 60)
    shop.settled("products")

    second.send_signal(signal.SIGTERM)
    assert second.wait(20) == 0


def test_a_poisoned_handler_stops_one_aggregate_until_it_is_retried(shop: Shop) -> None:
    shop.act(30)
    victim = shop.products[0][0]
    broken = replace(PROJECTIONS["products"], on={**PROJECTIONS["products"].on, "PriceSet": _refusing(str(victim))})
    stop = shop.worker("products", projection=broken)
    shop.act(20)
    wait_until(lambda: shop.store["projection_stopped"].count_documents({}) == 1)
    wait_until(lambda: len(shop.differences("products").get("products", ())) == 1)
    (difference,) = shop.differences("products")["products"]
    assert str(victim) in difference
    stop.set()
    shop.worker("products")
    shop.act(20)
    wait_until(lambda: len(shop.differences("products").get("products", ())) == 1)
    asked = requests.ask_retry(shop.store, "products", Selection(everything=True), by="tests")
    found = requests.wait(shop.store, asked.id, seconds=20)
    assert (found.finished, found.done, found.failed) == (True, asked.total, 0)
    shop.settled("products")
    assert shop.store["projection_stopped"].count_documents({}) == 0
    assert shop.store["projection_dead_letters"].count_documents({}) == 0


def _refusing(product_id: str):  # type: ignore[no-untyped-def]
    real = PROJECTIONS["products"].on["PriceSet"]

    def handler(instance, section, event, at):  # type: ignore[no-untyped-def]
        if str(event.product_id) == product_id:
            raise RuntimeError("no price for this one")
        real(instance, section, event, at)

    return handler


@pytest.mark.parametrize("seconds", [0.5])
def test_lag_is_known_to_the_read_side(shop: Shop, seconds: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow projector shows as lag in events and seconds; none when it has caught up."""
    from queries.documents import lag as lag_module

    monkeypatch.setattr(lag_module, "database", lambda: shop.store)
    monkeypatch.setattr(lag_module, "live_generation", lambda name: 1)
    slow = replace(
        PROJECTIONS["products"], headers_only=None, on={**PROJECTIONS["products"].on, "StockReceived": _slow(seconds)}
    )
    shop.act(10)
    shop.worker("products", replace(QUICK, max_records=5), projection=slow)
    shop.act(30)
    wait_until(lambda: (lag_module.read_lag("products").seconds or 0) > seconds, 30)
    assert lag_module.read_lag("products").unprojected > 0
    shop.settled("products")
    wait_until(lambda: lag_module.read_lag("products").seconds == 0, 10)


def _slow(seconds: float, event_type: str = "StockReceived"):  # type: ignore[no-untyped-def]
    real = PROJECTIONS["products"].on[event_type]

    def handler(instance, section, event, at):  # type: ignore[no-untyped-def]
        time.sleep(seconds)
        real(instance, section, event, at)

    return handler


def test_a_long_way_to_catch_up_is_gone_on_kafka_alone(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Partitions that wait for their turn, while others are applied, are not read from the log as well."""
    from commands.outbox.log import PostgresEventLog

    monkeypatch.setattr(PostgresEventLog, "read", lambda *_: pytest.fail("Kafka has it"))
    shop.act(150)
    slow = replace(
        PROJECTIONS["products"], on={**PROJECTIONS["products"].on, "ProductCreated": _slow(0.05, "ProductCreated")}
    )
    shop.worker("products", replace(QUICK, max_records=10), projection=slow)
    wait_until(lambda: _applied(shop) >= 150, 60)
    assert not shop.errors


def test_batches_get_small_where_events_take_long(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """All at once they would take four seconds, and with dearer events a batch would take for a hang."""
    sizes: list[int] = []
    took = BatchSize.took

    def recorded(size: BatchSize, seconds: float, items: int, *allowed: int | None) -> None:
        took(size, seconds, items, *allowed)
        sizes.append(size.now)

    monkeypatch.setattr(BatchSize, "took", recorded)
    shop.act(200)
    slow = replace(
        PROJECTIONS["products"], on={**PROJECTIONS["products"].on, "ProductCreated": _slow(0.05, "ProductCreated")}
    )
    shop.worker("products", replace(QUICK, longest_batch=0.4), projection=slow)
    shop.settled("products")
    assert min(sizes) <= QUICK.first_batch // 2


def _applied(shop: Shop) -> int:
    return sum(row["sequence"] for row in shop.store["projection_checkpoints"].find())


def test_a_refused_event_of_a_killed_batch_is_parked_by_whoever_takes_over(shop: Shop) -> None:
    """The marker is beyond the checkpoint and has no letter, as a kill between the two leaves it."""
    shop.act(30)
    with psycopg.connect(shop.database_url, autocommit=True) as connection:
        stopped = connection.execute(
            "SELECT aggregate_id, topic, partition, aggregate_version, sequence FROM domain_event "
            "WHERE event_type = 'PriceSet' ORDER BY position DESC LIMIT 1"
        ).fetchone()
    assert stopped is not None
    aggregate = f"product:{stopped[0]}"
    shop.store["projection_stopped"].insert_one(
        {
            "_id": f"products|1|{aggregate}",
            "projection": "products",
            "generation": 1,
            "aggregate": aggregate,
            "topic": stopped[1],
            "partition": stopped[2],
            "first_version": stopped[3],
            "first_sequence": stopped[4],
            "passed_to": stopped[4],
            "error": "killed",
            "fingerprint": "0",
        }
    )
    shop.worker("products")
    wait_until(lambda: shop.store["projection_dead_letters"].count_documents({"aggregate": aggregate}) > 0)
    wait_until(lambda: len(shop.differences("products").get("products", ())) == 1)
    asked = requests.ask_retry(shop.store, "products", Selection(everything=True), by="tests")
    assert requests.wait(shop.store, asked.id, seconds=20).done == asked.total
    shop.settled("products")
    wait_until(lambda: shop.store["projection_stopped"].count_documents({}) == 0)


def test_a_killed_store_is_another_incarnation(shop: Shop) -> None:
    """What the safeguard of the checkpoints rests on, on the server at hand."""
    before = store_incarnation(shop.store)
    assert before
    assert store_incarnation(shop.store) == before
    shop.mongo.kill()
    shop.mongo.start()
    assert store_incarnation(shop.store) not in {"", before}
