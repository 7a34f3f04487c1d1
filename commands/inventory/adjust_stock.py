"""Correct what is on hand after a count, a loss or a find."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from acme.contracts.inventory import StockAdjusted
from acme.errors import Conflict, Invalid
from acme.identity import Actor, Role
from commands.handling import Done, lock, requires
from commands.inventory.models import StockItem
from commands.inventory.movements import MOST_MOVED, MOST_ON_HAND, Movements, levels
from commands.texts import clean_text

REASON_LENGTH = 200


@dataclass(frozen=True, kw_only=True)
class AdjustStock:
    """``quantity_change``: pieces more, or fewer when negative."""

    sku: str
    quantity_change: int
    reason: str
    expected_version: int | None = None


@requires(Role.STAFF)
def adjust_stock(command: AdjustStock, *, actor: Actor, now: datetime) -> Done:
    """Raises `NotFound` (nothing of the SKU was ever received), `StaleVersion`, `Invalid`,
    `Conflict` ``below-reserved``, ``too-many``. Result: the levels."""
    change = command.quantity_change
    if abs(change) > MOST_MOVED:
        raise Invalid(f"at most {MOST_MOVED} pieces", code="out-of-range", pointer="/quantity_change")
    reason = clean_text(command.reason, pointer="/reason", max_length=REASON_LENGTH)
    if reason is None:
        raise Invalid("a reason is needed", code="required", pointer="/reason")
    item = lock(StockItem, sku=command.sku, expected_version=command.expected_version)
    if change == 0:
        return Done(id=item.id, version=item.version, result=levels(item), changed=False)
    _check_level(item, change)
    movements = Movements(actor, now)
    movements.move(
        item,
        StockAdjusted,
        on_hand=change,
        note=reason,
        quantity=change,
        members={"quantity_change": change, "reason": reason},
    )
    movements.save()
    return Done(id=item.id, version=item.version, result=levels(item))


def _check_level(item: StockItem, change: int) -> None:
    if item.on_hand + change < item.reserved:
        raise Conflict(
            f"{item.on_hand} of {item.sku} are on hand and {item.reserved} of them are reserved",
            code="below-reserved",
            pointer="/quantity_change",
        )
    if item.on_hand + change > MOST_ON_HAND:
        raise Conflict(f"more than {MOST_ON_HAND} pieces would be on hand", code="too-many", pointer="/quantity_change")
