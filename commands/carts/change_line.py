"""Set the quantity of a line that is in the cart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.carts import CartLineChanged
from acme.identity import Actor
from commands.carts.limits import check_quantity
from commands.carts.lines import line_of
from commands.carts.models import Cart
from commands.carts.states import check_open
from commands.handling import Done
from commands.outbox.record import record
from commands.ownership import lock_owned


@dataclass(frozen=True, kw_only=True)
class ChangeLine:
    cart_id: UUID
    sku: str
    quantity: int
    expected_version: int | None = None


def change_line(command: ChangeLine, *, actor: Actor, now: datetime) -> Done:
    """The owner may. The price stays. Raises `NotFound` when the SKU is not in the cart."""
    check_quantity(command.quantity)
    cart = lock_owned(Cart, id=command.cart_id, actor=actor, expected_version=command.expected_version, staff_too=False)
    check_open(cart)
    line = line_of(cart, command.sku)
    if line.quantity == command.quantity:
        return Done(id=cart.id, version=cart.version, changed=False)
    changed = CartLineChanged(
        cart_id=cart.id,
        variant_id=line.variant_id,
        sku=line.sku,
        quantity=command.quantity,
        old_quantity=line.quantity,
    )
    record(cart, changed, actor=actor, now=now)
    line.quantity = command.quantity
    line.save()
    cart.save()
    return Done(id=cart.id, version=cart.version)
