"""Commands on good products, published as they come, and how long each takes from its commit until readers see it.

A price is seen in the product's document by its version; a sale in the counters of its SKU by their number of orders.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Self
from uuid import UUID

from django.db import connections
from pymongo import MongoClient
from pymongo.errors import PyMongoError

from acme.contracts.base import Money
from commands.catalog.create_product import CreateProduct, create_product
from commands.catalog.set_price import SetPrice, set_price
from commands.catalog.variants import NewVariant
from commands.handling import unit_of_work
from commands.inventory.receive_stock import ReceiveStock, receive_stock
from commands.orders.items import Item
from commands.orders.pay_order import PayOrder, pay_order
from commands.orders.place_order import PlaceOrder, place_order
from commands.outbox.publisher import PASSING, Publisher
from tests.integration.projections.conftest import STAFF, Shop

THINKING = 0.02  # mean seconds between two commands
LOOK = 0.05  # seconds between two looks at the documents
AT_ONCE = 200  # commands in one transaction, where nobody measures
Product = tuple[UUID, str]


def stocked(shop: Shop, skus: Iterable[str]) -> list[Product]:
    """New products that are published and have stock."""
    made = []
    for sku in skus:
        variant = NewVariant(sku=sku, price=Money(100, "GBP"))
        with unit_of_work():
            command = CreateProduct(name=f"P {sku}", variants=(variant,), publish=True)
            done = create_product(command, actor=STAFF, now=_now())
            receive_stock(ReceiveStock(sku=sku, quantity=100_000), actor=STAFF, now=_now())
        made.append((done.id, sku))
    shop.products += made
    return made


def price(product: Product, amount: int) -> int:
    """Sets a price, in an open unit of work; answers the version."""
    command = SetPrice(product_id=product[0], sku=product[1], price=Money(amount, "GBP"))
    return set_price(command, actor=STAFF, now=_now()).version


def sell(sku: str) -> datetime:
    """An order of one piece, paid and so confirmed, in an open unit of work; answers when it was placed."""
    now = _now()
    placed = place_order(PlaceOrder(lines=(Item(sku=sku, quantity=1),)), actor=STAFF, now=now)
    total = Money(placed.result["total"]["amount_minor"], "GBP")
    pay_order(PayOrder(order_id=placed.id, amount=total), actor=STAFF, now=now)
    return now


def priced(products: list[Product], each: int) -> int:
    """So many price changes for each of the products, in turn; answers how many there were."""
    changes = [(product, number) for number in range(each) for product in products]
    for start in range(0, len(changes), AT_ONCE):
        with unit_of_work():
            for product, number in changes[start : start + AT_ONCE]:
                price(product, 101 + number)
    return len(changes)


def sold(skus: list[str]) -> None:
    """A sale for each."""
    for start in range(0, len(skus), AT_ONCE):
        with unit_of_work():
            for sku in skus[start : start + AT_ONCE]:
                sell(sku)


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Seen:
    """How long events took until they were visible, in seconds; ``unseen`` ones are not yet, since so long."""

    waits: tuple[float, ...]
    unseen: tuple[float, ...]

    @property
    def longest(self) -> float:
        return max((*self.waits, *self.unseen), default=0.0)

    def part(self, share: float) -> float:
        """The wait that this share of the events did not exceed."""
        ordered = sorted((*self.waits, *self.unseen))
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0

    def __str__(self) -> str:
        words = (
            f"{len(self.waits)} events visible after {self.part(0.5):.2f} s (median), {self.part(0.99):.2f} s (99 %)"
        )
        return f"{words}, {self.longest:.2f} s (longest), {len(self.unseen)} not yet"


def current_within(seconds: float, seen: Seen) -> None:
    """The check: there were events, all are visible, and not one of a hundred took longer than that.

    The longest may take a few times as long: on a machine with two cores any process is without one for a moment.
    """
    assert len(seen.waits) + len(seen.unseen) > 20, seen
    assert not seen.unseen or max(seen.unseen) < seconds, f"some are not visible: {seen}"
    assert seen.part(0.99) <= seconds, f"some took longer: {seen}"
    assert seen.longest <= seconds * 4, f"one took much longer: {seen}"


class Traffic:
    """Threads that set prices and sell, that publish, and that look. ``sales``: sells as well."""

    def __init__(self, shop: Shop, products: list[Product], *, sales: bool = True, seed: int = 5) -> None:
        self._shop, self._products, self._sales = shop, products, sales
        self._random = random.Random(seed)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._versions: dict[str, list[tuple[int, float]]] = {}  # product → versions and when they were committed
        self._orders: dict[str, list[tuple[int, float]]] = {}  # counter document → numbers of orders, likewise
        self._sold: dict[str, int] = {}
        self._waits: list[tuple[float, float]] = []  # when committed, and seconds until visible
        self.commands = 0
        self.errors: list[BaseException] = []
        self._threads = [threading.Thread(target=self._guarded, args=(f,), name=f.__name__) for f in self._parts()]

    def _parts(self) -> tuple[Any, ...]:
        return self._act, self._publish, self._look

    def _guarded(self, part: Any) -> None:
        try:
            part()
        except BaseException as error:
            self.errors.append(error)
        finally:
            connections.close_all()

    def _act(self) -> None:
        while not self._stop.wait(self._random.expovariate(1 / THINKING)):
            product = self._random.choice(self._products)
            sale = self._sales and self._random.random() < 0.25
            with unit_of_work():
                at, version = (sell(product[1]), 0) if sale else (_now(), price(product, self._random.randint(1, 9999)))
            now = time.monotonic()
            self.commands += 1
            with self._lock:
                if sale:
                    key = f"{at.date().isoformat()}|product|{product[1]}|GBP"
                    self._sold[key] = self._sold.get(key, 0) + 1
                    self._orders.setdefault(key, []).append((self._sold[key], now))
                else:
                    self._versions.setdefault(str(product[0]), []).append((version, now))

    def _publish(self) -> None:
        with Publisher(self._shop.broker.url) as publisher:
            while not self._stop.wait(0.01):
                with suppress(*PASSING):
                    publisher.drain()

    def _look(self) -> None:
        quick = {"socketTimeoutMS": 1000, "serverSelectionTimeoutMS": 1000, "connectTimeoutMS": 1000}
        with MongoClient(self._shop.mongo.url, **quick) as client:
            store: Any = client["acme"]
            while not self._stop.wait(LOOK):
                with suppress(PyMongoError):
                    self._note(self._versions, store["products__g1"], "product.version")
                    self._note(self._orders, store["sales_by_day__g1"], "orders")

    def _note(self, waiting: dict[str, list[tuple[int, float]]], collection: Any, path: str) -> None:
        with self._lock:
            keys = [key for key, rows in waiting.items() if rows]
        if not keys:
            return
        found = list(collection.find({"_id": {"$in": keys}}, {path: 1}))
        now = time.monotonic()
        with self._lock:
            for document in found:
                value: Any = document
                for name in path.split("."):
                    value = value.get(name, {})
                reached = value or 0
                rows = waiting[document["_id"]]
                self._waits += [(at, now - at) for number, at in rows if number <= reached]
                waiting[document["_id"]] = [row for row in rows if row[0] > reached]

    def seen(self, *, since: float = 0.0, until: float | None = None) -> Seen:
        """Of what was committed between these moments (``time.monotonic()``)."""
        with self._lock:
            now = time.monotonic()
            end = now if until is None else until
            rows = [row for waiting in (self._versions, self._orders) for rows in waiting.values() for row in rows]
            return Seen(
                waits=tuple(wait for at, wait in self._waits if since <= at <= end),
                unseen=tuple(now - at for _, at in rows if since <= at <= end),
            )

    def all_seen(self, seconds: float = 30) -> None:
        """Waits until everything that was committed by now is visible."""
        until, deadline = time.monotonic(), time.monotonic() + seconds
        while self.seen(until=until).unseen:
            assert time.monotonic() < deadline, f"after {seconds} s: {self.seen(until=until)} {self.errors}"
            assert not self.errors, self.errors
            time.sleep(0.02)

    def stays_current(
        self, within: float, watched: float, *, disturb: Callable[[], object] = lambda: None, windows: int = 4
    ) -> Seen:
        """The check of ``current_within`` for what is committed in so many seconds; answers what was seen.

        The machine is shared, and a process may be without a core for a second: then the next window is judged.
        ``disturb`` is done at the begin of each: whoever is held up by it is held up in all of them.
        """
        for left in reversed(range(windows)):
            begun = time.monotonic()
            disturb()
            time.sleep(watched)
            assert not self.errors, self.errors
            seen = self.seen(since=begun, until=time.monotonic() - within)
            try:
                current_within(within, seen)
                return seen
            except AssertionError as error:
                if not left:
                    raise
                print(f"{error}: another look")
        raise ValueError("there is no window to look through")

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(60)
        assert not self.errors, self.errors
