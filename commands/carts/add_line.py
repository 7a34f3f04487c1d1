"""Put pieces of a SKU into a cart; more of what is there already raises the line's quantity."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.carts import CartLineAdded
from acme.env import env
from acme.errors import Conflict
from acme.identity import Actor
from commands.carts.limits import MAX_LINES, check_quantity
from commands.carts.models import Cart, CartLine
from commands.carts.states import check_open
from commands.catalog.quote import quote
from commands.handling import Done
from commands.outbox.record import record
from commands.ownership import lock_owned


@dataclass(frozen=True, kw_only=True)
class AddLine:
    cart_id: UUID
    sku: str
    quantity: int
    expected_version: int | None = None


def add_line(command: AddLine, *, actor: Actor, now: datetime) -> Done:
    """The owner may. The line takes today's price in the shop's currency.

    Raises `Conflict` ``not-sellable`` (also for an unknown SKU), ``wrong-state``, ``cart-full``, `Invalid` quantity.
    """
    check_quantity(command.quantity)
    cart = lock_owned(Cart, id=command.cart_id, actor=actor, expected_version=command.expected_version, staff_too=False)
    check_open(cart)
    offer = quote([command.sku], env.currency).get(command.sku)
    if offer is None or not offer.sellable or offer.price is None:
        raise Conflict(f"{command.sku} is not for sale", code="not-sellable", pointer="/sku")
    line = cart.lines.filter(variant_id=offer.variant_id).first()
    if line is None:
        if cart.lines.count() >= MAX_LINES:
            raise Conflict(f"a cart has at most {MAX_LINES} lines", code="cart-full")
        line = CartLine(cart=cart, product_id=offer.product_id, variant_id=offer.variant_id, quantity=0)
    line.quantity += command.quantity
    check_quantity(line.quantity)
    line.sku, line.name = offer.sku, offer.name
    line.unit_price_minor, line.currency = offer.price.amount_minor, offer.price.currency
    added = CartLineAdded(
        cart_id=cart.id,
        product_id=line.product_id,
        variant_id=line.variant_id,
        sku=line.sku,
        name=line.name,
        quantity=line.quantity,
        unit_price=offer.price,
    )
    record(cart, added, actor=actor, now=now)
    line.save()
    cart.save()
    return Done(id=cart.id, version=cart.version)
