"""A shop whose every engine is the test's own: empty database, fresh broker, MongoDB server that can be killed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.db import connection, connections
from pymongo import MongoClient
from pymongo.database import Database

from acme.bus import BusUnavailable, Consumer, Topics
from acme.contracts.base import Money
from acme.contracts.topics import TOPICS
from acme.devstack.engine import EngineServer
from acme.identity import system
from acme.ports import event_log, subject_keys
from commands.catalog.create_product import CreateProduct, create_product
from commands.catalog.set_price import SetPrice, set_price
from commands.catalog.variants import NewVariant
from commands.handling import execute
from commands.inventory.receive_stock import ReceiveStock, receive_stock
from commands.outbox.publisher import Publisher
from projections.registry import PROJECTIONS
from projections.runtime.announcer import Announce
from projections.runtime.projection import Projection
from projections.runtime.runner import KafkaIdentities
from projections.runtime.settings import DEFAULT, WorkerSettings
from projections.runtime.worker import Worker
from tests.broker import Broker
from tests.oracle import compare_with_log

PROJECT = Path(__file__).resolve().parents[3]
STAFF = system("tests")
QUICK = replace(DEFAULT, heartbeat=0.3, idle_before_log=0.8, backoff_cap=0.5, group_given_up=8.0)


class Shop:
    """Commands go in through handlers, workers run in threads or processes, documents are compared with the log."""

    def __init__(self, broker: Broker, mongo: EngineServer, seed: int) -> None:
        self.broker, self.mongo = broker, mongo
        self.random = random.Random(seed)
        self.publisher = Publisher(broker.url)
        self.client: MongoClient[Any] = MongoClient(mongo.url, tz_aware=True, w="majority")
        self.store = self.client["acme"]
        self.products: list[tuple[UUID, str]] = []
        self._threads: list[tuple[threading.Event, threading.Thread]] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        self.errors: list[BaseException] = []

    def act(self, commands: int, *, publish: bool = True) -> None:
        """So many commands: new products, prices and stock; published to Kafka unless told otherwise."""
        for _ in range(commands):
            if not self.products or self.random.random() < 0.4:
                sku = f"S{len(self.products)}"
                variant = NewVariant(sku=sku, price=Money(100, "GBP"))
                done, _ = execute(create_product, CreateProduct(name=f"P {sku}", variants=(variant,)), actor=STAFF)
                self.products.append((done.id, sku))
                continue
            product, sku = self.random.choice(self.products)
            if self.random.random() < 0.5:
                self.set_price(product, sku, self.random.randint(1, 9_999))
            else:
                execute(receive_stock, ReceiveStock(sku=sku, quantity=1), actor=STAFF)
        if publish:
            self.publish()

    @contextmanager
    def traffic(self, commands: int, pause: float) -> Iterator[None]:
        """So many commands again and again, with so many seconds between, in a thread of its own."""
        stop = threading.Event()

        def act() -> None:
            try:
                while not stop.wait(pause):
                    self.act(commands)
            finally:
                connections.close_all()

        thread = threading.Thread(target=act)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(30)

    def publish(self, seconds: float = 30) -> None:
        """Publishes all there is, as the publisher's own thread does: tries again while Kafka cannot be reached."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.publisher.drain(look_at_kafka=True)
            except BusUnavailable:
                assert time.monotonic() < deadline
                time.sleep(0.2)
            else:
                return

    def set_price(self, product: UUID, sku: str, pence: int) -> None:
        """One command, not published yet."""
        price = Money(pence, "GBP")
        execute(set_price, SetPrice(product_id=product, sku=sku, price=price), actor=STAFF)

    def worker(
        self,
        name: str,
        settings: WorkerSettings = QUICK,
        projection: Projection | None = None,
        announce: Announce = lambda letters, streams: None,
    ) -> threading.Event:
        """A worker in a thread of this process; set the event to stop it."""
        stop = threading.Event()
        identities = KafkaIdentities(self.broker.url)

        def consumer(group: str, topics: Any, assigned: Any, revoked: Any) -> Consumer:
            return Consumer(self.broker.url, group, topics, on_assigned=assigned, on_revoked=revoked)

        chosen = projection or PROJECTIONS[name]
        worker = Worker(chosen, self.store, event_log(), subject_keys(), consumer, identities, settings, announce)

        def run() -> None:
            try:
                worker.run(stop)
            except BaseException as error:
                self.errors.append(error)
            finally:
                identities.close()
                connections.close_all()

        thread = threading.Thread(target=run, name=f"worker-{name}")
        thread.start()
        self._threads.append((stop, thread))
        return stop

    @property
    def database_url(self) -> str:
        return "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)

    def process(self, name: str, *options: str) -> subprocess.Popen[bytes]:
        """`manage.py projector run NAME` as a process of its own."""
        engines = {
            "DATABASE_URL": self.database_url,
            "KAFKA_BOOTSTRAP_SERVERS": self.broker.url,
            "MONGODB_URL": self.mongo.url,
        }
        log = Path(os.environ["ACME_HOME"]) / f"projector-{len(self._processes)}.log"
        process = subprocess.Popen(
            [sys.executable, "manage.py", "projector", "run", name, *options],
            cwd=PROJECT,
            env={**os.environ, **engines},
            stderr=log.open("wb"),
        )
        self._processes.append(process)
        return process

    def differences(self, *names: str) -> dict[str, list[str]]:
        return {k: v for k, v in compare_with_log(self.store, [PROJECTIONS[n] for n in names]).items() if v}

    def settled(self, *names: str, seconds: float = 60) -> None:
        """Waits until the documents equal a replay of the log; fails with the differences when they do not in time."""

        def why() -> str:
            workers = list(self.store["projection_workers"].find())
            checkpoints = {row["_id"]: row["sequence"] for row in self.store["projection_checkpoints"].find()}
            stopped = list(self.store["projection_stopped"].find())
            return f"{self.errors}\n{workers}\n{checkpoints}\n{stopped}\n{self.differences(*names)}"

        wait_until(lambda: not self.differences(*names), seconds, why)
        assert not self.errors, self.errors

    def heartbeats(self, name: str) -> dict[int, set[tuple[str, int]]]:
        """pid → partitions, of workers that have a heartbeat."""
        rows = self.store["projection_workers"].find({"projection": name})
        return {row["pid"]: {(p["topic"], p["partition"]) for p in row["partitions"]} for row in rows}

    def close(self) -> None:
        for stop, _ in self._threads:
            stop.set()
        for _, thread in self._threads:
            thread.join(30)
        for process in self._processes:
            process.kill()
            process.wait()
        self.publisher.close()
        self.client.close()


def wait_until(true: Callable[[], Any], seconds: float = 30, why: Callable[[], str] = lambda: "") -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"it did not happen in {seconds} s: {why()}"
        time.sleep(0.05)


@pytest.fixture
def store(mongo: str, mongo_database: str) -> Iterator[Database[Any]]:
    """An empty database on the session's server."""
    with MongoClient(mongo, tz_aware=True) as client:
        yield client[mongo_database]


@pytest.fixture
def shop(kafka_broker: Broker, mongo_server: EngineServer, shop_database: None) -> Iterator[Shop]:
    topics = Topics(kafka_broker.url)
    topics.ensure(TOPICS)
    topics.close()
    made = Shop(kafka_broker, mongo_server, seed=11)
    yield made
    made.close()
