"""What operators say reaches workers wherever they run; a worker that hangs is noticed, and another takes over."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from kafka import KafkaConsumer, TopicPartition

from acme.bus import Outgoing, Producer
from acme.bus.client import net_client
from acme.contracts.topics import DEAD_LETTERS
from projections.registry import PROJECTIONS
from projections.runtime import control, requests
from projections.runtime.announcer import Announcer
from projections.runtime.letterbox import Selection, get_letter
from projections.runtime.projection import Projection
from projections.runtime.settings import QueueLimits
from projections.runtime.watchdog import EXIT_HANGING
from tests.integration.projections.conftest import PROJECT, QUICK, Shop, wait_until

EVERYTHING = Selection(everything=True)
#: It gets its partitions in its first turn, as from a broker that hands them out at once, and hangs in its first batch.
HANGING = """
import os, time
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "acme.settings")
import django; django.setup()
import threading
from dataclasses import replace
from acme.bus import BusUnavailable
from projections.registry import PROJECTIONS
from projections.runtime import runner
from projections.runtime.settings import DEFAULT

class Prompt(runner.Consumer):
    def poll(self, *arguments):
        records = super().poll(*arguments)
        if not self.assignment():
            raise BusUnavailable("it joins")
        return records

runner.Consumer = Prompt
products = PROJECTIONS["products"]
def hang(instance, section, event, at):
    time.sleep(3600)
broken = replace(products, on={**products.on, "PriceSet": hang})
settings = replace(DEFAULT, hang=5.0, lease=3.0, backoff_cap=0.5)  # a pause must not look like a turn that hangs
runner.run_projections([broken], os.environ["KAFKA_BOOTSTRAP_SERVERS"], threading.Event(), settings=settings)
"""


def states(shop: Shop, name: str = "products") -> set[str]:
    return {row["state"] for row in shop.store["projection_workers"].find({"projection": name})}


def failing(victim: UUID) -> Projection:
    """The products projection with a defect: no price for this one product."""
    products = PROJECTIONS["products"]
    real = products.on["PriceSet"]

    def handler(instance: Any, section: dict[str, Any], event: Any, at: Any) -> None:
        if event.product_id == victim:
            raise RuntimeError("no price for this one")
        real(instance, section, event, at)

    return replace(products, on={**products.on, "PriceSet": handler})


def test_pause_resume_and_reset_reach_every_worker_within_a_second(shop: Shop) -> None:
    shop.act(30)
    workers = [shop.worker("products"), shop.worker("products")]
    shop.settled("products")
    wait_until(lambda: states(shop) == {"running"} and len(shop.store["projection_workers"].distinct("_id")) == 2)

    control.pause(shop.store, "products", by="anna", reason="a look")
    asked = time.monotonic()
    wait_until(lambda: states(shop) == {"paused"})
    assert time.monotonic() - asked < 1.5  # a second, and the time to look
    shop.act(20)
    shop.publish()
    time.sleep(1)
    assert shop.differences("products")
    assert shop.process("products", "--once").wait(30) == 1  # it cannot get there, and says so instead of waiting
    shop.mongo.kill()
    shop.mongo.start()
    restarted = datetime.now(UTC)
    fresh = {"state": "paused", "seen_at": {"$gt": restarted + timedelta(seconds=1)}}
    wait_until(lambda: shop.store["projection_workers"].count_documents(fresh) == 2)  # they go on telling
    control.resume(shop.store, "products")
    shop.settled("products")

    shop.store["products__g1"].update_many({}, {"$set": {"product.name": "spoiled"}})
    assert shop.differences("products")
    assert control.reset(shop.store, PROJECTIONS["products"], by="anna") == 2
    shop.settled("products")
    shop.act(10)
    shop.settled("products")
    assert shop.store["products__g1"].count_documents({}) > 0
    for stop in workers:
        stop.set()
    wait_until(lambda: not states(shop))


def test_a_worker_that_hangs_ends_and_another_takes_over(shop: Shop) -> None:
    shop.act(40)
    engines = {
        "DATABASE_URL": shop.database_url,
        "KAFKA_BOOTSTRAP_SERVERS": shop.broker.url,
        "MONGODB_URL": shop.mongo.url,
    }
    log = Path(os.environ["ACME_HOME"]) / "hanging.log"
    with log.open("wb") as output:
        hanging = subprocess.Popen(
            [sys.executable, "-c", HANGING], cwd=PROJECT, env={**os.environ, **engines}, stderr=output
        )
    try:
        assert hanging.wait(60) == EXIT_HANGING, log.read_text()
    finally:
        hanging.kill()
        hanging.wait()
    assert "time.sleep(3600)" in log.read_text() or "in hang" in log.read_text()
    assert [row["state"] for row in shop.store["projection_workers"].find({"pid": hanging.pid})] == ["hanging"]
    shop.worker("products")
    shop.settled("products")


def test_a_record_that_is_no_event_is_parked_with_its_bytes_and_announced(shop: Shop) -> None:
    producer = Producer(shop.broker.url)
    shop.act(10)
    garbage = Outgoing(topic="acme.catalog", partition=3, key=b"?", value=b"\xff\x00junk", headers=[("h", b"\xfe")])
    (offset,) = producer.send_all([garbage])
    producer.close()
    shop.act(20)
    announcer = Announcer(shop.broker.url)
    stop = shop.worker("products", announce=announcer)
    shop.settled("products")
    (letter,) = shop.store["projection_dead_letters"].find()
    assert (letter["offset"], letter["sequence"], letter["aggregate"]) == (offset, None, None)
    assert bytes(letter["record"]["value"]) == b"\xff\x00junk"
    shown = get_letter(shop.store, letter["_id"])
    assert shown is not None
    assert shown["raw"] == b"\xff\x00junk".hex()

    (record,) = dead_letter_records(shop, 1)
    headers = dict(record.headers)
    assert record.value == b"\xff\x00junk"
    assert headers["__connect.errors.topic"] == b"acme.catalog"
    assert headers["__connect.errors.partition"] == b"3"
    assert headers["__connect.errors.offset"] == str(offset).encode()
    assert headers["__connect.errors.exception.class.name"].endswith(b"Undecodable")
    assert headers["h"] == b"\xfe"

    asked = requests.ask_retry(shop.store, "products", EVERYTHING, by="anna")
    assert requests.wait(shop.store, asked.id, seconds=20).failed == 1
    asked = requests.ask_discard(shop.store, "products", EVERYTHING, by="anna", reason="junk")
    assert requests.wait(shop.store, asked.id, seconds=20).done == 1
    stop.set()
    wait_until(lambda: not states(shop))
    announcer.close()
    shop.store["projection_checkpoints"].delete_many({})  # everything is read once more
    shop.worker("products")
    shop.settled("products")
    (letter,) = shop.store["projection_dead_letters"].find()
    assert letter["state"] == "discarded"


def dead_letter_records(shop: Shop, wanted: int) -> list[Any]:
    consumer = KafkaConsumer(
        bootstrap_servers=shop.broker.url, auto_offset_reset="earliest", kafka_client=net_client, group_id=None
    )
    partitions = [TopicPartition(DEAD_LETTERS.name, number) for number in range(DEAD_LETTERS.partitions)]
    deadline, found = time.monotonic() + 30, []
    while len(found) < wanted and time.monotonic() < deadline:
        with suppress(Exception):
            if not consumer.assignment() and consumer.partitions_for_topic(DEAD_LETTERS.name):
                consumer.assign(partitions)
            for records in consumer.poll(timeout_ms=500).values():
                found.extend(records)
    consumer.close()
    return found


def test_a_full_queue_pauses_its_partition_and_a_retry_makes_room(shop: Shop) -> None:
    shop.act(30)
    victim, sku = shop.products[0]
    tight = replace(QUICK, limits=QueueLimits(per_aggregate=2), blocked_retry=0.5)
    stop = shop.worker("products", tight, failing(victim))
    for price in range(6):
        shop.set_price(victim, sku, 100 + price)
    shop.publish()
    wait_until(lambda: "blocked" in states(shop))
    (row,) = shop.store["projection_workers"].find()
    (blocked,) = row["blocked"]
    assert (blocked["kind"], blocked["topic"]) == ("queue-full", "acme.catalog")
    wait_until(lambda: shop.store["projection_dead_letters"].count_documents({}) == 2)
    shop.mongo.kill()  # blocked partitions are looked at again also when the store has been another since
    shop.mongo.start()
    wait_until(lambda: "blocked" in states(shop))
    stop.set()
    wait_until(lambda: not states(shop))
    shop.worker("products", tight)
    rounds = 0
    while shop.differences("products") and rounds < 10:
        wait_until(
            lambda: shop.store["projection_dead_letters"].count_documents({}) or not shop.differences("products")
        )
        if shop.store["projection_dead_letters"].count_documents({}):
            asked = requests.ask_retry(shop.store, "products", EVERYTHING, by="anna")
            assert requests.wait(shop.store, asked.id, seconds=20).done == asked.total
            rounds += 1
    assert rounds > 0
    shop.settled("products")
    assert shop.store["projection_dead_letters"].count_documents({}) == 0


@pytest.mark.parametrize("name", ["nothing"])
def test_a_projection_that_was_never_run_has_nobody_to_tell(shop: Shop, name: str) -> None:
    with pytest.raises(control.NotDone, match="never run"):
        control.pause(shop.store, name, by="anna")
