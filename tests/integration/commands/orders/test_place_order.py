"""Placing orders: from carts and from lines, with stock, snapshots, guests' tokens and personal data."""

from __future__ import annotations

from threading import Barrier, Thread
from uuid import UUID, uuid4

import pytest
from django.db import connections

from acme.contracts.base import Money
from acme.contracts.carts import CartCheckedOut
from acme.contracts.inventory import StockReserved
from acme.contracts.orders import OrderConfirmed, OrderLine, OrderPersonal, OrderPlaced
from acme.errors import Conflict, Invalid, NotAuthenticated, NotFound, ShopError
from acme.identity import Actor, hash_token
from commands.carts.add_line import AddLine, add_line
from commands.carts.create_cart import CreateCart, create_cart
from commands.carts.models import Cart
from commands.customers.import_customer import ImportCustomer, import_customer
from commands.inventory.models import Reservation, StockItem
from commands.orders.items import Item
from commands.orders.models import Order
from commands.orders.place_order import PlaceOrder, place_order
from commands.outbox.models import DomainEvent
from tests.integration.commands.shop import (
    NOBODY,
    NOW,
    OTHER_GUEST,
    STAFF,
    STRANGER,
    events_of,
    refused,
    run,
    shopper,
    stocked,
)


def item(sku: str, quantity: int = 1) -> Item:
    return Item(sku=sku, quantity=quantity)


def filled_cart(actor: Actor = NOBODY, *items: Item) -> tuple[UUID, Actor]:
    """A cart with these items, and its owner."""
    done = run(create_cart, CreateCart(), actor)
    owner = Actor(guest_token=done.result["token"]) if done.result else actor
    for each in items:
        run(add_line, AddLine(cart_id=done.id, sku=each.sku, quantity=each.quantity), owner)
    return done.id, owner


@pytest.mark.django_db
def test_from_a_guests_cart() -> None:
    mug, plate = stocked("MUG", price=1250), stocked("PLATE", price=399)
    cart_id, guest = filled_cart(NOBODY, item("PLATE", 3), item("MUG", 2))
    command = PlaceOrder(cart_id=cart_id, country="gb", email="Guest@Example.org", name="A Guest")
    done = run(place_order, command, guest)
    order, cart = Order.objects.get(id=done.id), Cart.objects.get(id=cart_id)
    total = 3 * 399 + 2 * 1250
    assert done.result == {
        "number": order.number,
        "status": "placed",
        "total": {"amount_minor": total, "currency": "GBP"},
    }
    assert (cart.status, cart.order_id, order.cart_id) == ("checked_out", order.id, cart_id)
    assert events_of(cart_id)[-1] == CartCheckedOut(cart_id=cart_id, order_id=order.id)
    [placed] = events_of(order.id)
    assert isinstance(placed, OrderPlaced)
    assert (placed.number, placed.customer_id, placed.country, placed.placed_at) == (order.number, None, "GB", NOW)
    assert (placed.cart_id, placed.guest_token_hash) == (cart_id, cart.guest_token_hash)
    assert placed.personal == OrderPersonal(email="guest@example.org", name="A Guest")
    assert placed.data_subject() == f"order:{order.id}"
    assert placed.total == Money(total, "GBP")
    assert [line.line for line in placed.lines] == [1, 2]
    assert placed.lines[0] == OrderLine(
        line=1,
        product_id=placed.lines[0].product_id,
        variant_id=plate,
        sku="PLATE",
        name="Thing PLATE",
        category_id=None,
        quantity=3,
        unit_price=Money(399, "GBP"),
        amount=Money(1197, "GBP"),
    )
    assert order.is_owned_by(guest) and not order.is_owned_by(OTHER_GUEST)
    held = dict(Reservation.objects.filter(order_id=order.id).values_list("item__variant_id", "quantity"))
    assert held == {mug: 2, plate: 3}
    assert isinstance(events_of(StockItem.objects.get(variant_id=mug).id)[-1], StockReserved)


@pytest.mark.django_db
def test_from_a_customers_cart_with_what_is_known_of_the_customer() -> None:
    stocked("MUG")
    customer_id = run(import_customer, ImportCustomer(number="1", email="a@example.org", name="A", country="IE")).id
    cart_id, owner = filled_cart(shopper(customer_id), item("MUG"))
    done = run(place_order, PlaceOrder(cart_id=cart_id), owner)
    [placed] = events_of(done.id)
    assert isinstance(placed, OrderPlaced) and "token" not in done.result
    assert (placed.customer_id, placed.guest_token_hash, placed.country) == (customer_id, None, "IE")
    assert placed.personal == OrderPersonal(email="a@example.org", name="A")
    assert placed.data_subject() == f"customer:{customer_id}"


@pytest.mark.django_db
def test_a_guest_who_logged_in_since_keeps_the_order_as_customer() -> None:
    stocked("MUG")
    customer_id = run(import_customer, ImportCustomer(number="1")).id
    cart_id, guest = filled_cart(NOBODY, item("MUG"))
    actor = Actor(user_id=uuid4(), customer_id=customer_id, guest_token=guest.guest_token)
    order = Order.objects.get(id=run(place_order, PlaceOrder(cart_id=cart_id), actor).id)
    assert (order.customer_id, order.guest_token_hash) == (customer_id, None)


@pytest.mark.django_db
def test_staff_place_nobody_elses_cart() -> None:
    stocked("MUG")
    cart_id, guest = filled_cart(NOBODY, item("MUG"))
    with refused(NotFound):
        run(place_order, PlaceOrder(cart_id=cart_id), STAFF)
    order = Order.objects.get(id=run(place_order, PlaceOrder(cart_id=cart_id), guest).id)
    assert order.customer_id is None and order.is_owned_by(guest)


@pytest.mark.django_db
def test_from_lines_a_guest_gets_a_token_and_the_same_sku_is_one_line() -> None:
    stocked("MUG"), stocked("PLATE", price=399)
    done = run(place_order, PlaceOrder(lines=(item("MUG", 1), item("PLATE", 2), item("MUG", 3))), NOBODY)
    [placed] = events_of(done.id)
    assert isinstance(placed, OrderPlaced)
    assert [(line.line, line.sku, line.quantity) for line in placed.lines] == [(1, "MUG", 4), (2, "PLATE", 2)]
    assert placed.guest_token_hash == hash_token(done.result["token"]) and placed.personal is None
    assert done.result["token"] not in str(list(DomainEvent.objects.values_list("data", flat=True)))


@pytest.mark.django_db
def test_numbers_differ() -> None:
    stocked("MUG")
    numbers = {run(place_order, PlaceOrder(lines=(item("MUG"),)), NOBODY).result["number"] for _ in range(3)}
    assert len(numbers) == 3


@pytest.mark.django_db
def test_what_costs_nothing_is_confirmed_at_once() -> None:
    stocked("SAMPLE", price=0)
    done = run(place_order, PlaceOrder(lines=(item("SAMPLE"),)), NOBODY)
    assert [type(event) for event in events_of(done.id)] == [OrderPlaced, OrderConfirmed]
    assert (done.version, done.result["status"]) == (2, "confirmed")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("command", "kind", "code", "pointer"),
    [
        (PlaceOrder(), Invalid, "cart-or-lines", None),
        (PlaceOrder(cart_id=uuid4(), lines=(item("MUG"),)), Invalid, "cart-or-lines", None),
        (PlaceOrder(lines=(item("MUG", 0),)), Invalid, "out-of-range", "/lines/0/quantity"),
        (PlaceOrder(lines=(item("MUG", 9999), item("MUG"))), Invalid, "out-of-range", "/lines/1/quantity"),
        (PlaceOrder(lines=(item("MUG"),) * 101), Invalid, "out-of-range", "/lines"),
        (PlaceOrder(lines=(item("MUG"), item("NONE"))), Conflict, "not-sellable", "/lines/1/sku"),
        (PlaceOrder(lines=(item("DRAFT"),)), Conflict, "not-sellable", "/lines/0/sku"),
        (PlaceOrder(lines=(item("MUG"),), currency="EUR"), Conflict, "not-sellable", "/lines/0/sku"),
        (PlaceOrder(lines=(item("MUG", 11),)), Conflict, "out-of-stock", None),
        (PlaceOrder(lines=(item("MUG", 6), item("PLATE"), item("MUG", 5))), Conflict, "out-of-stock", None),
        (PlaceOrder(lines=(item("MUG"),), email="no"), Invalid, "not-an-email", "/email"),
        (PlaceOrder(lines=(item("MUG"),), country="x" * 61), Invalid, "too-long", "/country"),
        (PlaceOrder(cart_id=UUID(int=1)), NotAuthenticated, None, None),
    ],
)
def test_refused(command: PlaceOrder, kind: type[ShopError], code: str | None, pointer: str | None) -> None:
    stocked("MUG"), stocked("PLATE"), stocked("DRAFT", publish=False)
    with refused(kind, code=code, pointer=pointer):
        run(place_order, command, NOBODY)


@pytest.mark.django_db
def test_an_empty_or_checked_out_cart_is_refused() -> None:
    stocked("MUG")
    empty, owner = filled_cart()
    with refused(Conflict, code="cart-empty"):
        run(place_order, PlaceOrder(cart_id=empty), owner)
    cart_id, owner = filled_cart(NOBODY, item("MUG"))
    run(place_order, PlaceOrder(cart_id=cart_id), owner)
    with refused(Conflict, code="wrong-state"):
        run(place_order, PlaceOrder(cart_id=cart_id), owner)


@pytest.mark.django_db
@pytest.mark.parametrize("actor", [STRANGER, OTHER_GUEST])
def test_nobody_elses_cart(actor: Actor) -> None:
    stocked("MUG")
    cart_id, _ = filled_cart(NOBODY, item("MUG"))
    with refused(NotFound):
        run(place_order, PlaceOrder(cart_id=cart_id), actor)


def at_once(count: int, attempt: object) -> list[str]:
    """Runs it in so many threads, started together; answers "done" or the error's code of each."""
    barrier, answers = Barrier(count), []

    def one() -> None:
        try:
            barrier.wait()
            attempt()  # type: ignore[operator]
            answers.append("done")
        except ShopError as error:
            answers.append(error.code)
        finally:
            connections.close_all()

    threads = [Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(answers)


def test_fifty_threads_on_the_last_unit_make_one_order(shop_database: None) -> None:
    stocked("LAST", on_hand=1)
    answers = at_once(50, lambda: run(place_order, PlaceOrder(lines=(item("LAST"),)), NOBODY))
    assert answers == ["done"] + ["out-of-stock"] * 49
    stock = StockItem.objects.get(sku="LAST")
    assert (stock.on_hand, stock.reserved, Order.objects.count(), Reservation.objects.count()) == (1, 1, 1, 1)
    assert DomainEvent.objects.filter(event_type="OrderPlaced").count() == 1
    assert DomainEvent.objects.filter(event_type="StockReserved").count() == 1


def test_one_cart_checked_out_by_many_makes_one_order(shop_database: None) -> None:
    stocked("MUG", on_hand=100)
    cart_id, owner = filled_cart(NOBODY, item("MUG"))
    answers = at_once(10, lambda: run(place_order, PlaceOrder(cart_id=cart_id), owner))
    assert answers == ["done"] + ["wrong-state"] * 9
    assert (Order.objects.count(), StockItem.objects.get().reserved) == (1, 1)


def test_opposite_orders_of_the_same_items_do_not_deadlock(shop_database: None) -> None:
    stocked("A", on_hand=40), stocked("B", on_hand=40)
    both = [(item("A"), item("B")), (item("B"), item("A"))] * 10
    answers = at_once(20, lambda: run(place_order, PlaceOrder(lines=both.pop()), NOBODY))
    assert answers == ["done"] * 20
    assert set(StockItem.objects.values_list("reserved", flat=True)) == {20}
