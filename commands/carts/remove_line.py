"""Take a line out of a cart."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.carts import CartLineRemoved
from acme.identity import Actor
from commands.carts.lines import line_of
from commands.carts.models import Cart
from commands.carts.states import check_open
from commands.handling import Done
from commands.outbox.record import record
from commands.ownership import lock_owned


@dataclass(frozen=True, kw_only=True)
class RemoveLine:
    cart_id: UUID
    sku: str
    expected_version: int | None = None


def remove_line(command: RemoveLine, *, actor: Actor, now: datetime) -> Done:
    """The owner may. Raises `NotFound` when the SKU is not in the cart."""
    cart = lock_owned(Cart, id=command.cart_id, actor=actor, expected_version=command.expected_version, staff_too=False)
    check_open(cart)
    line = line_of(cart, command.sku)
    removed = CartLineRemoved(cart_id=cart.id, variant_id=line.variant_id, sku=line.sku, old_quantity=line.quantity)
    record(cart, removed, actor=actor, now=now)
    line.delete()
    cart.save()
    return Done(id=cart.id, version=cart.version)
