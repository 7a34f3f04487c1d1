"""Filling an empty shop: the same content at every run, in one transaction, so that it is there whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from itertools import product
from random import Random
from typing import Any

import factory

from commands.catalog.create_category import CreateCategory, create_category
from commands.catalog.create_product import create_product
from commands.customers.import_customer import import_customer
from commands.demo.assortment import DEPARTMENTS, Shelf
from commands.demo.factories import CustomerFactory, DeliveryFactory, ProductFactory
from commands.demo.orders import STAFF, WEEKS, fill_cart, order_steps
from commands.handling import unit_of_work
from commands.inventory.receive_stock import receive_stock
from commands.states import StateTables

SEED = 20260101
CUSTOMERS = 100
ORDERS = 300
CARTS = 15
#: Every so many products one was never delivered.
OUT_OF_STOCK_EVERY = 14

Start = Callable[[str, int], Callable[[int], None]]


def is_empty() -> bool:
    """Whether nothing has been sold or put up for sale; users may exist."""
    tables = StateTables()
    return not any(next(tables.ids(kind), None) for kind in ("product", "category", "order"))


def seed(now: datetime, start: Start) -> dict[str, int]:
    """Fills the shop as if it had been open for some weeks before ``now``; answers how much of what there is."""
    random = Random(SEED)  # noqa: S311 (a demo, not a secret)
    factory.random.reseed_random(SEED)
    for each in (DeliveryFactory, CustomerFactory):
        each.reset_sequence()
    opened = now - timedelta(weeks=WEEKS, days=7)
    with unit_of_work():
        products, skus = _products(opened, start)
        customers = [
            import_customer(CustomerFactory(), actor=STAFF, now=opened + timedelta(hours=number)).id
            for number in range(CUSTOMERS)
        ]
        steps = order_steps(random, ORDERS, customers, skus, now)
        advance = start("orders", len(steps))
        for count, step in enumerate(steps, start=1):
            step.do(step.at)
            advance(count)
        for customer_id in random.sample(customers, CARTS):
            fill_cart(random, customer_id, skus, now - timedelta(minutes=random.randint(1, 3 * 24 * 60)))
    return {"products": products, "customers": CUSTOMERS, "orders": ORDERS, "carts": CARTS}


def _products(now: datetime, start: Start) -> tuple[int, list[str]]:
    """How many products were made, and the SKUs that are in stock."""
    plans = list(_plans(now))
    advance = start("products", len(plans))
    stocked = []
    for number, (shelf, words) in enumerate(plans, start=1):
        command = ProductFactory(shelf=shelf, code=f"{shelf.code}-{number:04d}", **words)
        create_product(command, actor=STAFF, now=now)
        if number % OUT_OF_STOCK_EVERY:
            for variant in command.variants:
                delivery = DeliveryFactory(sku=variant.sku)
                receive_stock(delivery, actor=STAFF, now=now + timedelta(days=1))
                stocked += [variant.sku] if delivery.quantity >= 60 else []  # enough for what may be ordered
        advance(number)
    return len(plans), stocked


def _plans(now: datetime) -> Iterator[tuple[Shelf, dict[str, Any]]]:
    """Every product that there will be: its shelf, and what else the factory needs to know."""
    for department, shelves in DEPARTMENTS.items():
        parent = create_category(CreateCategory(name=department), actor=STAFF, now=now)
        for shelf in shelves:
            category = create_category(CreateCategory(name=shelf.name, parent_id=parent.id), actor=STAFF, now=now)
            for noun, finish, maker in product(shelf.goods, shelf.finishes, shelf.makers[:2]):
                yield shelf, {"noun": noun, "finish": finish, "brand": maker, "category_id": category.id}
