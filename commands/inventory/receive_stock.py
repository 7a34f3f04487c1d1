"""Receive pieces of a SKU into the warehouse."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from acme.contracts.inventory import StockReceived
from acme.errors import Conflict
from acme.identity import Actor, Role
from commands.handling import Done, requires
from commands.inventory.items import lock_or_create
from commands.inventory.movements import MOST_ON_HAND, Movements, check_quantity, levels
from commands.texts import clean_text

REFERENCE_LENGTH = 100


@dataclass(frozen=True, kw_only=True)
class ReceiveStock:
    """``reference``: a delivery note or the like."""

    sku: str
    quantity: int
    reference: str = ""
    expected_version: int | None = None


@requires(Role.STAFF)
def receive_stock(command: ReceiveStock, *, actor: Actor, now: datetime) -> Done:
    """Raises `NotFound` (SKU), `StaleVersion`, `Invalid`, `Conflict` ``too-many``. Result: the levels."""
    check_quantity(command.quantity)
    reference = clean_text(command.reference, pointer="/reference", max_length=REFERENCE_LENGTH) or ""
    item = lock_or_create(command.sku, expected_version=command.expected_version, now=now)
    if item.on_hand + command.quantity > MOST_ON_HAND:
        raise Conflict(f"more than {MOST_ON_HAND} pieces would be on hand", code="too-many", pointer="/quantity")
    movements = Movements(actor, now)
    movements.move(
        item,
        StockReceived,
        on_hand=command.quantity,
        note=reference,
        quantity=command.quantity,
        members={"quantity": command.quantity, "reference": reference},
    )
    movements.save()
    return Done(id=item.id, version=item.version, result=levels(item))
