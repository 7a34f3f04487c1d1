"""Check a cart out into an order. The orders slice calls this in the transaction that places the order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.carts import CartCheckedOut
from acme.errors import Conflict
from acme.identity import Actor
from commands.carts.models import Cart
from commands.carts.states import CART
from commands.handling import Done, lock
from commands.outbox.record import record
from commands.ownership import lock_owned
from commands.transitions import check_transition


@dataclass(frozen=True, kw_only=True)
class CartContents:
    """Whose the cart is, and its (SKU, pieces) in the order in which they were put in."""

    customer_id: UUID | None
    guest_token_hash: str | None
    items: list[tuple[str, int]]


@dataclass(frozen=True, kw_only=True)
class CheckOutCart:
    cart_id: UUID
    order_id: UUID


def lock_for_check_out(cart_id: UUID, *, actor: Actor) -> CartContents:
    """Locks an open cart with something in it, for its owner.

    Raises `Conflict` ``cart-empty`` or ``wrong-state``: a second check-out waits here for the first, then gets this.
    """
    cart = lock_owned(Cart, id=cart_id, actor=actor, staff_too=False)
    _check(cart)
    items = list(cart.lines.order_by("id").values_list("sku", "quantity"))
    if not items:
        raise Conflict(f"cart {cart_id} is empty", code="cart-empty")
    return CartContents(customer_id=cart.customer_id, guest_token_hash=cart.guest_token_hash, items=items)


def check_out_cart(command: CheckOutCart, *, actor: Actor, now: datetime) -> Done:
    """For the orders slice, after `lock_for_check_out` in the same transaction."""
    cart = lock(Cart, id=command.cart_id)
    _check(cart)
    record(cart, CartCheckedOut(cart_id=cart.id, order_id=command.order_id), actor=actor, now=now)
    cart.status, cart.order_id = Cart.Status.CHECKED_OUT, command.order_id
    cart.save()
    return Done(id=cart.id, version=cart.version)


def _check(cart: Cart) -> None:
    check_transition(CART, what=f"cart {cart.id}", current=cart.status, target=Cart.Status.CHECKED_OUT)
