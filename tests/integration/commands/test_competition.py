"""Commands that compete for the same thing, on real PostgreSQL, in threads with their own connections and commits."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connections

from acme.errors import Conflict, ShopError
from commands.catalog.create_category import CreateCategory, create_category
from commands.catalog.create_product import CreateProduct, create_product
from commands.catalog.models import Category, Product
from commands.catalog.move_category import MoveCategory, move_category
from commands.handling import Done, unit_of_work
from commands.inventory.models import Reservation, StockItem
from commands.inventory.receive_stock import ReceiveStock, receive_stock
from commands.inventory.release_stock import ReleaseStock, release_stock
from commands.inventory.reserve_stock import ReserveStock, reserve_stock
from commands.outbox.models import DomainEvent
from tests.integration.commands.catalog.catalogue import category, product, variant
from tests.integration.commands.inventory.warehouse import level, reserve, stocked
from tests.integration.commands.shop import NOW, SHOP, events_of, run

pytestmark = pytest.mark.usefixtures("shop_database")


def at_once(calls: list[Callable[[], Done]]) -> list[Done | ShopError]:
    """Runs all calls in threads that start together; each gives what it returned or the shop's refusal."""
    start = Barrier(len(calls))

    def attempt(call: Callable[[], Any]) -> Done | ShopError:
        try:
            start.wait()
            return call()
        except ShopError as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(attempt, calls))


def test_fifty_threads_on_the_last_unit() -> None:
    ids = stocked(LAST=1)
    results = at_once([lambda: reserve(uuid4(), (ids["LAST"], 1)) for _ in range(50)])
    refusals = [result for result in results if isinstance(result, ShopError)]
    assert len(refusals) == 49
    assert {(type(error), error.code, error.detail) for error in refusals} == {
        (Conflict, "out-of-stock", "0 of LAST available, 1 wanted")
    }
    assert level("LAST") == (1, 1)
    assert Reservation.objects.count() == 1
    assert [type(event).__name__ for event in events_of(StockItem.objects.get().id)] == [
        "StockReceived",
        "StockReserved",
    ]


def test_orders_of_the_same_items_in_any_order_neither_deadlock_nor_oversell() -> None:
    ids = stocked(A=20, B=20, C=20)
    chance = random.Random(3)
    wanted = [tuple((variant_id, 1) for variant_id in chance.sample(list(ids.values()), 3)) for _ in range(30)]
    results = at_once([lambda lines=lines: _reserve_without_retry(lines) for lines in wanted])
    assert Counter(getattr(result, "code", "reserved") for result in results) == {"reserved": 20, "out-of-stock": 10}
    assert {level(sku) for sku in ids} == {(20, 20)}


def _reserve_without_retry(lines: tuple[tuple[UUID, int], ...]) -> Done:
    """In a transaction that is not tried again, so that a deadlock fails the test."""
    with unit_of_work():
        return reserve_stock(ReserveStock(order_id=uuid4(), lines=lines), actor=SHOP, now=NOW)


def test_reserving_and_releasing_at_once_keeps_the_books() -> None:
    ids = stocked(A=10, B=10)
    orders = [uuid4() for _ in range(10)]
    for order in orders:
        reserve(order, (ids["A"], 1), (ids["B"], 1))
    releases = [lambda order=order: run(release_stock, ReleaseStock(order_id=order)) for order in orders + orders]
    results = at_once(releases)
    assert Counter(result.changed for result in results if isinstance(result, Done)) == {True: 10, False: 10}
    assert (level("A"), level("B")) == ((10, 0), (10, 0))


def test_first_receipts_at_once_make_one_item() -> None:
    product("Lamp", variant("A"))
    results = at_once([lambda: run(receive_stock, ReceiveStock(sku="A", quantity=1)) for _ in range(10)])
    assert {type(result) for result in results} == {Done}
    assert level("A") == (10, 0)
    assert len({result.id for result in results if isinstance(result, Done)}) == 1


def test_the_same_name_at_once_gives_different_slugs() -> None:
    results = at_once([lambda: run(create_product, CreateProduct(name="Lamp")) for _ in range(10)])
    assert {type(result) for result in results} == {Done}
    assert set(Product.objects.values_list("slug", flat=True)) == {"lamp", *(f"lamp-{n}" for n in range(2, 11))}


def test_the_same_slug_or_sku_at_once_is_given_once() -> None:
    slugs = at_once([lambda: run(create_category, CreateCategory(name="x", slug="lamps")) for _ in range(8)])
    skus = at_once(
        [lambda: run(create_product, CreateProduct(name="Lamp", variants=(variant("A"),))) for _ in range(8)]
    )
    for results in (slugs, skus):
        assert Counter(type(result) for result in results) == {Done: 1, Conflict: 7}
    assert DomainEvent.objects.filter(event_type__in=["CategoryCreated", "ProductCreated"]).count() == 2


def test_two_moves_never_close_a_circle() -> None:
    a, b = category("A"), category("B")
    below_a, below_b = category("A1", a), category("B1", b)  # no row is touched by both moves
    moves = [MoveCategory(category_id=a, parent_id=below_b), MoveCategory(category_id=b, parent_id=below_a)]

    def second() -> Done:
        try:
            return run(move_category, moves[1])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as thread:
        with unit_of_work():
            move_category(moves[0], actor=SHOP, now=NOW)
            waiting = thread.submit(second)
            with pytest.raises(TimeoutError):
                waiting.result(timeout=0.5)  # until the first move is committed
        with pytest.raises(Conflict, match="below itself"):
            waiting.result(timeout=30)
    assert Category.objects.get(parent=None).id == b
