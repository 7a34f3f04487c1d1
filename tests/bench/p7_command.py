"""P7: PlaceOrder with five lines through its handler, against the same rows by plain Django ORM in one transaction."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from acme.contracts.base import Money
from acme.identity import system
from commands.aggregate import new_id
from commands.catalog.create_product import CreateProduct, create_product
from commands.catalog.publish_product import PublishProduct, publish_product
from commands.catalog.variants import NewVariant
from commands.handling import execute
from commands.inventory.models import Reservation, StockItem, StockMovement
from commands.inventory.receive_stock import ReceiveStock, receive_stock
from commands.orders.items import Item
from commands.orders.models import Order, OrderLine
from commands.orders.place_order import PlaceOrder, place_order
from commands.outbox import wake
from commands.outbox.models import DomainEvent
from tests.bench.measure import Measured, Took, in_turn, ratio_of, summary, watched
from tests.bench.options import Options

ORDERS, LINES, PRODUCTS = 200, 5, 50
STAFF = system("bench")


def stocked() -> list[str]:
    """SKUs that can be bought as often as wanted."""
    skus = []
    for number in range(PRODUCTS):
        sku = f"BENCH-{number}"
        variant = NewVariant(sku=sku, price=Money(1299, "GBP"))
        done, _ = execute(create_product, CreateProduct(name=f"Product {number}", variants=(variant,)), actor=STAFF)
        execute(publish_product, PublishProduct(product_id=done.id), actor=STAFF)
        execute(receive_stock, ReceiveStock(sku=sku, quantity=1_000_000), actor=STAFF)
        skus.append(sku)
    return skus


def lines_of(number: int, skus: list[str]) -> list[str]:
    """Five different ones."""
    return [skus[(number * 3 + place * 11) % len(skus)] for place in range(LINES)]


def by_handler(skus: list[str], orders: int) -> Took:
    """Prices looked up, stock checked and locked, rules, events: everything."""
    with watched() as watch:
        for number in range(orders):
            items = tuple(Item(sku=sku, quantity=1) for sku in lines_of(number, skus))
            execute(place_order, PlaceOrder(lines=items, email="a@example.org"), actor=STAFF)
    return watch.took(orders)


class Plain:
    """Writes copies of the rows that an order of the handler has left, under new ids: what is in them is known before,
    so nothing is looked up, checked or encoded."""

    def __init__(self, skus: list[str]) -> None:
        self._skus = skus
        items = tuple(Item(sku=sku, quantity=1) for sku in lines_of(0, skus))
        done, _ = execute(place_order, PlaceOrder(lines=items, email="a@example.org"), actor=STAFF)
        self._order = Order.objects.get(id=done.id)
        self._lines = list(OrderLine.objects.filter(order_id=done.id))
        stock = list(StockItem.objects.filter(sku__in=lines_of(0, skus)))
        events = DomainEvent.objects.filter(aggregate_id__in=[done.id, *(item.id for item in stock)])
        newest = events.order_by("-position")[: LINES + 1]
        self._events = sorted(newest, key=lambda event: event.position)
        self._number = 10**9

    def run(self, orders: int) -> Took:
        with watched() as watch:
            for number in range(orders):
                self._place(number)
        return watch.took(orders)

    def _place(self, number: int) -> None:
        self._number += 1
        now = datetime.now(UTC)
        with transaction.atomic():
            stock = list(StockItem.objects.select_for_update().filter(sku__in=lines_of(number, self._skus)))
            mine = StockItem.objects.filter(id__in=[item.id for item in stock])
            mine.update(reserved=F("reserved") + 1, version=F("version") + 1)
            for item in stock:
                item.reserved, item.version = item.reserved + 1, item.version + 1
            order = self._fresh(self._order, id=new_id(), number=str(self._number), placed_at=now, created_at=now)
            order.save(force_insert=True)
            OrderLine.objects.bulk_create([self._fresh(line, id=None, order_id=order.id) for line in self._lines])
            Reservation.objects.bulk_create(Reservation(item=item, order_id=order.id, quantity=1) for item in stock)
            StockMovement.objects.bulk_create(
                StockMovement(
                    item=item,
                    version=item.version,
                    kind="reserved",
                    quantity=1,
                    on_hand=item.on_hand,
                    reserved=item.reserved,
                    occurred_at=now,
                )
                for item in stock
            )
            owners = [*stock, order]
            DomainEvent.objects.bulk_create(
                self._fresh(
                    event,
                    position=None,
                    event_id=uuid.uuid4(),
                    sequence=None,
                    aggregate_id=owner.id,
                    aggregate_version=owner.version,
                    recorded_at=now,
                )
                for event, owner in zip(self._events, owners, strict=True)
            )

    @staticmethod
    def _fresh(row: Any, **changes: Any) -> Any:
        """A copy of a row to be inserted."""
        values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
        return type(row)(**{**values, **changes})


def measure(options: Options) -> Measured:
    wake.enabled = False  # publishing is P6's matter; here it would only take turns with the handler
    skus, orders = stocked(), options.size(ORDERS)
    plain = Plain(skus)
    took = in_turn(
        options.rounds,
        {"handler": lambda: by_handler(skus, orders), "plain ORM": lambda: plain.run(orders)},
        options.say,
    )
    ratio, spread = ratio_of(took, "handler", "plain ORM", lambda one: one.seconds / one.units)
    return Measured(
        name="P7",
        what="PlaceOrder with five lines through its handler, events included",
        against="the same rows by plain Django ORM in one transaction",
        ratio=ratio,
        spread=spread,
        goal=1.3,
        better="lower",
        detail={"contenders": summary(took)},
        notes="The plain rows are known before: no price is looked up, no rule checked, nothing sealed or encoded. "
        "Nobody is woken to publish what is recorded.",
    )
