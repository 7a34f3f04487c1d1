"""Carts: their events with versions, one owner each, limits, and nothing after check-out."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from acme.contracts.base import Money
from acme.contracts.carts import CartCheckedOut, CartCreated, CartLineAdded, CartLineChanged, CartLineRemoved
from acme.errors import Conflict, Invalid, NotFound, StaleVersion
from acme.identity import Actor, hash_token
from commands.carts.add_line import AddLine, add_line
from commands.carts.change_line import ChangeLine, change_line
from commands.carts.check_out_cart import CheckOutCart, check_out_cart
from commands.carts.create_cart import CreateCart, create_cart
from commands.carts.limits import MAX_LINES, MAX_QUANTITY
from commands.carts.models import Cart, CartLine
from commands.carts.remove_line import RemoveLine, remove_line
from commands.catalog.set_price import SetPrice, set_price
from tests.integration.commands.shop import STAFF, STRANGER, events_of, refused, run, shopper, stocked

pytestmark = pytest.mark.django_db


@dataclass
class Given:
    """An open cart of a guest, and something to put into it."""

    cart_id: UUID
    owner: Actor
    variant_id: UUID


@pytest.fixture
def given() -> Given:
    variant_id = stocked("MUG")
    done = run(create_cart, CreateCart(), Actor())
    return Given(done.id, Actor(guest_token=done.result["token"]), variant_id)


def test_a_guests_cart_keeps_only_the_tokens_hash(given: Given) -> None:
    token = given.owner.guest_token
    assert token is not None and len(token) >= 43
    cart = Cart.objects.get(id=given.cart_id)
    assert (cart.customer_id, cart.guest_token_hash, cart.status) == (None, hash_token(token), "open")
    assert events_of(given.cart_id) == [
        CartCreated(cart_id=given.cart_id, customer_id=None, guest_token_hash=hash_token(token))
    ]


def test_a_customers_cart_has_no_token() -> None:
    customer_id = uuid4()
    done = run(create_cart, CreateCart(), shopper(customer_id))
    assert (done.version, done.result) == (1, {})
    assert events_of(done.id) == [CartCreated(cart_id=done.id, customer_id=customer_id, guest_token_hash=None)]


def test_lines_come_change_and_go(given: Given) -> None:
    cart, owner = given.cart_id, given.owner
    run(add_line, AddLine(cart_id=cart, sku="MUG", quantity=2, expected_version=1), owner)
    run(add_line, AddLine(cart_id=cart, sku="MUG", quantity=3), owner)
    run(change_line, ChangeLine(cart_id=cart, sku="MUG", quantity=4), owner)
    same = run(change_line, ChangeLine(cart_id=cart, sku="MUG", quantity=4), owner)
    assert (same.version, same.changed) == (4, False)
    done = run(remove_line, RemoveLine(cart_id=cart, sku="MUG", expected_version=4), owner)
    assert (done.version, Cart.objects.get(id=cart).version) == (5, 5)
    assert not CartLine.objects.exists()
    product_id = events_of(cart)[1].product_id  # type: ignore[attr-defined]
    added = {
        "cart_id": cart,
        "product_id": product_id,
        "variant_id": given.variant_id,
        "sku": "MUG",
        "name": "Thing MUG",
        "unit_price": Money(1250, "GBP"),
    }
    about = {"cart_id": cart, "variant_id": given.variant_id, "sku": "MUG"}
    assert events_of(cart)[1:] == [
        CartLineAdded(**added, quantity=2),
        CartLineAdded(**added, quantity=5),
        CartLineChanged(**about, quantity=4, old_quantity=5),
        CartLineRemoved(**about, old_quantity=4),
    ]


def test_adding_again_takes_todays_price(given: Given) -> None:
    run(add_line, AddLine(cart_id=given.cart_id, sku="MUG", quantity=1), given.owner)
    product_id = CartLine.objects.get().product_id
    run(set_price, SetPrice(product_id=product_id, sku="MUG", price=Money(900, "GBP")))
    assert CartLine.objects.get().unit_price_minor == 1250
    run(add_line, AddLine(cart_id=given.cart_id, sku="MUG", quantity=1), given.owner)
    assert CartLine.objects.get().unit_price_minor == 900


def test_a_cart_is_its_owners_alone_staff_included(given: Given) -> None:
    run(add_line, AddLine(cart_id=given.cart_id, sku="MUG", quantity=1), given.owner)
    for change, command in (
        (add_line, AddLine(cart_id=given.cart_id, sku="MUG", quantity=1)),
        (change_line, ChangeLine(cart_id=given.cart_id, sku="MUG", quantity=3)),
        (remove_line, RemoveLine(cart_id=given.cart_id, sku="MUG")),
    ):
        with refused(NotFound):
            run(change, command, STAFF)
    assert Cart.objects.get(id=given.cart_id).version == 2


@pytest.mark.parametrize("quantity", [0, -1, MAX_QUANTITY + 1])
def test_quantities_have_limits(given: Given, quantity: int) -> None:
    run(add_line, AddLine(cart_id=given.cart_id, sku="MUG", quantity=1), given.owner)
    with refused(Invalid, pointer="/quantity"):
        run(add_line, AddLine(cart_id=given.cart_id, sku="MUG", quantity=quantity), given.owner)
    with refused(Invalid, pointer="/quantity"):
        run(change_line, ChangeLine(cart_id=given.cart_id, sku="MUG", quantity=quantity), given.owner)


def test_the_sum_has_the_limit_too(given: Given) -> None:
    run(add_line, AddLine(cart_id=given.cart_id, sku="MUG", quantity=MAX_QUANTITY), given.owner)
    with refused(Invalid, pointer="/quantity"):
        run(add_line, AddLine(cart_id=given.cart_id, sku="MUG", quantity=1), given.owner)


def test_a_cart_has_at_most_a_hundred_lines(given: Given) -> None:
    CartLine.objects.bulk_create(
        CartLine(
            cart_id=given.cart_id,
            product_id=uuid4(),
            variant_id=uuid4(),
            sku=f"S{index}",
            name="",
            quantity=1,
            unit_price_minor=1,
            currency="GBP",
        )
        for index in range(MAX_LINES)
    )
    with refused(Conflict, code="cart-full"):
        run(add_line, AddLine(cart_id=given.cart_id, sku="MUG", quantity=1), given.owner)


def test_what_is_not_for_sale_is_refused(given: Given) -> None:
    stocked("DRAFT", publish=False)
    for sku in ("DRAFT", "UNKNOWN", "mug"):
        with refused(Conflict, code="not-sellable", pointer="/sku"):
            run(add_line, AddLine(cart_id=given.cart_id, sku=sku, quantity=1), given.owner)


def test_what_is_not_in_the_cart_is_not_found(given: Given) -> None:
    with refused(NotFound, code="not-in-cart"):
        run(change_line, ChangeLine(cart_id=given.cart_id, sku="MUG", quantity=1), given.owner)
    with refused(NotFound, code="not-in-cart"):
        run(remove_line, RemoveLine(cart_id=given.cart_id, sku="MUG"), given.owner)


def test_after_check_out_nothing_changes_any_more(given: Given) -> None:
    run(add_line, AddLine(cart_id=given.cart_id, sku="MUG", quantity=1), given.owner)
    order_id = uuid4()
    run(check_out_cart, CheckOutCart(cart_id=given.cart_id, order_id=order_id), given.owner)
    assert events_of(given.cart_id)[-1] == CartCheckedOut(cart_id=given.cart_id, order_id=order_id)
    for handler, command in (
        (add_line, AddLine(cart_id=given.cart_id, sku="MUG", quantity=1)),
        (change_line, ChangeLine(cart_id=given.cart_id, sku="MUG", quantity=2)),
        (remove_line, RemoveLine(cart_id=given.cart_id, sku="MUG")),
        (check_out_cart, CheckOutCart(cart_id=given.cart_id, order_id=uuid4())),
    ):
        with refused(Conflict, code="wrong-state"):
            run(handler, command, given.owner)


def test_stale_versions_are_refused_but_not_told_to_outsiders(given: Given) -> None:
    with refused(StaleVersion):
        run(add_line, AddLine(cart_id=given.cart_id, sku="MUG", quantity=1, expected_version=3), given.owner)
    with refused(NotFound):
        run(add_line, AddLine(cart_id=given.cart_id, sku="MUG", quantity=1, expected_version=3), STRANGER)
