"""Dead letters, workers and requests as documents, for tests of the command that reads and asks.

`Hands` carries requests out by hand, as a worker would: it takes marked letters away, or says that they failed again.
"""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from pymongo.database import Database

from acme.contracts.base import Money
from acme.contracts.catalog import PriceSet
from acme.contracts.envelope import Envelope, encode, to_record
from acme.contracts.topics import CATALOG, TOPICS, partition_of
from projections.registry import PROJECTIONS
from projections.runtime.generations import open_live, prepare
from tests.integration.projections.admin.parked import mark

Store = Database[dict[str, Any]]
FINGERPRINT = "3f2a9c10b7de"
ERROR = "StopIteration: [bold]no such variant[/bold]"
TOPIC = CATALOG.name
PRODUCTS = [UUID(int=number + (7 << 76) + (2 << 62)) for number in range(1, 40)]


def price_set(product: UUID, version: int, sequence: int) -> Envelope:
    event = PriceSet(
        product_id=product, variant_id=UUID(int=5), sku="MUG-1", price=Money(1250, "GBP"), old_price=Money(1000, "GBP")
    )
    data, _ = encode(event)
    at = datetime.now(UTC) - timedelta(hours=3)
    return Envelope(
        event_id=UUID(int=sequence + 1000),
        topic=TOPIC,
        partition=partition_of(CATALOG, product),
        sequence=sequence,
        aggregate_type="product",
        aggregate_id=product,
        aggregate_version=version,
        event_type="PriceSet",
        schema_version=1,
        data=data,
        personal=None,
        occurred_at=at,
        recorded_at=at,
        log_epoch=1,
    )


def park(
    store: Store, product: UUID, sequence: int, /, *, version: int = 5, held_by: int | None = None, **more: Any
) -> str:
    """A letter of `products`; answers its key. ``held_by``: it only waits behind that sequence."""
    envelope = price_set(product, version, sequence)
    key, value, headers = to_record(envelope)
    now = datetime.now(UTC)
    letter = {
        "_id": f"products|1|{TOPIC}|{envelope.partition}|{sequence}",
        "projection": "products",
        "generation": 1,
        "topic": TOPIC,
        "partition": envelope.partition,
        "sequence": sequence,
        "offset": sequence,
        "aggregate": envelope.aggregate,
        "aggregate_version": version,
        "event_type": "PriceSet",
        "event_id": str(envelope.event_id),
        "schema_version": 1,
        "occurred_at": envelope.occurred_at,
        "recorded_at": envelope.recorded_at,
        "record": {"key": key, "value": value, "headers": [[name, said] for name, said in headers]},
        "error": ERROR,
        "error_class": "StopIteration",
        "traceback": 'Traceback (most recent call last):\n  File "products.py", line 111, in price_set\nStopIteration',
        "fingerprint": FINGERPRINT,
        "held": held_by is not None,
        "held_by": held_by,
        "attempts": 4,
        "first_at": now - timedelta(hours=2),
        "last_at": now - timedelta(minutes=5),
        "state": "parked",
    }
    letter |= more
    mark(store, letter)
    store["projection_dead_letters"].insert_one(letter)
    return str(letter["_id"])


def open_products(store: Store, *, worker: bool = True, **state: Any) -> None:
    """The projection as its worker leaves it: pointer, indexes, heads, checkpoints, and a worker unless told not to."""
    for name in ("products", "orders"):
        prepare(store, PROJECTIONS[name], open_live(store, PROJECTIONS[name]))
    now = datetime.now(UTC)
    heads, checkpoints = [], []
    for topic, partition in [(each, number) for each in TOPICS for number in range(each.partitions)]:
        place = {"topic": topic.name, "partition": partition, "sequence": 100, "published": 100}
        seen = {"log_epoch": 1, "seen_at": now + timedelta(hours=1), "complete_to": now}
        heads.append({"_id": f"{topic.name}|{partition}", **place, **seen})
        for name in (name for name in ("products", "orders") if topic.name in PROJECTIONS[name].topics):
            mine = {"_id": f"{name}|1|{topic.name}|{partition}", "projection": name, "generation": 1}
            checkpoints.append({**mine, **place, "sequence": 90 if partition else 100, "recorded_at": now})
    store["stream_heads"].insert_many(heads)
    store["projection_checkpoints"].insert_many(checkpoints)
    if worker:
        work(store, "products", **state)


def work(store: Store, projection: str, **state: Any) -> None:
    """A worker that is alive for an hour."""
    later = datetime.now(UTC) + timedelta(hours=1)
    parts = [{"topic": TOPIC, "partition": number, "sequence": 90} for number in range(8)]
    worker = {
        "_id": f"{projection}|host-1|4711|1",
        "projection": projection,
        "generation": 1,
        "host": "host-1",
        "pid": 4711,
        "state": "running",
        "detail": "",
        "partitions": parts,
        "events_per_second": 0,
        "seen_at": later,
        "lease_until": later,
    }
    store["projection_workers"].insert_one({**worker, **state})


class Hands:
    """Carries requests out in a thread while the block runs. ``fails``: keys of letters that fail again."""

    def __init__(self, store: Store, *, fails: set[str] | None = None) -> None:
        self._store, self._fails = store, fails or set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.done: list[dict[str, Any]] = []

    def __enter__(self) -> Hands:
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.wait(0.02):
            for request in self._store["projection_requests"].find({"state": "waiting"}):
                self._carry_out(request)

    def _carry_out(self, request: dict[str, Any]) -> None:
        letters, failed = self._store["projection_dead_letters"], 0
        for letter in list(letters.find({"request": request["_id"]})):
            if letter["_id"] in self._fails:
                failed += 1
                outcome = {"request": request["_id"], "result": "failed", "error": letter["error"]}
                letters.update_one({"_id": letter["_id"]}, {"$set": {"outcome": outcome}, "$unset": {"request": ""}})
            elif request["action"] == "discard":
                by = {"discarded_by": request["by"], "discarded_reason": request["reason"]}
                change = {"$set": {"state": "discarded", "discarded_at": datetime.now(UTC), **by}}
                letters.update_one({"_id": letter["_id"]}, {**change, "$unset": {"request": ""}})
            else:
                letters.delete_one({"_id": letter["_id"]})
        counts = {"waiting": 0, "done": request["total"] - failed, "failed": failed, "held": 0}
        self._store["projection_requests"].update_one(
            {"_id": request["_id"]}, {"$set": {"state": "done", "counts": counts, "message": ""}}
        )
        self.done.append(request)
