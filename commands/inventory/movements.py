"""Changing a locked stock item: levels, event and ledger line in one step, shared by all commands on stock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from acme.contracts.inventory import (
    ReservationReleased,
    StockAdjusted,
    StockEvent,
    StockReceived,
    StockReserved,
    StockShipped,
)
from acme.errors import Invalid
from acme.identity import Actor
from commands.copying import copy_rows
from commands.inventory.models import StockItem, StockMovement
from commands.outbox.record import record
from commands.updating import update_rows

MOST_ON_HAND = 1_000_000_000  # pieces of one item; fits PostgreSQL's integer with room to spare
MOST_MOVED = 1_000_000  # pieces in one command

#: What the ledger calls each event.
KINDS: dict[type[StockEvent], str] = {
    StockReceived: "received",
    StockAdjusted: "adjusted",
    StockReserved: "reserved",
    ReservationReleased: "released",
    StockShipped: "shipped",
}
#: Columns of a line.
LEDGER = ("item_id", "version", "kind", "quantity", "on_hand", "reserved", "note", "occurred_at")


@dataclass
class Movements:
    """Collects what one command does to its items; `save` writes items and ledger in two statements."""

    actor: Actor
    now: datetime
    _items: list[StockItem] = field(default_factory=list)
    _ledger: list[tuple[Any, ...]] = field(default_factory=list)

    def move(
        self,
        item: StockItem,
        event: type[StockEvent],
        *,
        quantity: int,
        on_hand: int = 0,
        reserved: int = 0,
        note: str = "",
        members: dict[str, Any],
    ) -> None:
        """Changes the levels by ``on_hand`` and ``reserved`` pieces and records the event with its own ``members``.

        ``quantity`` is what the ledger's line shows: pieces that came, went (negative), were held or given back.
        """
        old_on_hand, old_reserved = item.on_hand, item.reserved
        item.on_hand += on_hand
        item.reserved += reserved
        happened = event(
            stock_item_id=item.id,
            product_id=item.product_id,
            variant_id=item.variant_id,
            sku=item.sku,
            on_hand=item.on_hand,
            reserved=item.reserved,
            old_on_hand=old_on_hand,
            old_reserved=old_reserved,
            **members,
        )
        record(item, happened, actor=self.actor, now=self.now)
        self._items.append(item)
        level = (item.on_hand, item.reserved)
        self._ledger.append((item.id, item.version, KINDS[event], quantity, *level, note, self.now))

    def save(self) -> None:
        update_rows(StockItem, self._items, ["on_hand", "reserved", "version"])
        if self._ledger:
            copy_rows(StockMovement, LEDGER, self._ledger)


def check_quantity(quantity: int, *, pointer: str = "/quantity") -> None:
    """Raises `Invalid` unless 1 to `MOST_MOVED` pieces."""
    if not 1 <= quantity <= MOST_MOVED:
        raise Invalid(f"from 1 to {MOST_MOVED} pieces", code="out-of-range", pointer=pointer)


def demand_per_variant(lines: Sequence[tuple[UUID, int]]) -> dict[UUID, int]:
    """Pieces wanted of each variant, summed over lines."""
    demand: dict[UUID, int] = {}
    for variant_id, quantity in lines:
        check_quantity(quantity)
        demand[variant_id] = demand.get(variant_id, 0) + quantity
    return demand


def levels(item: StockItem) -> dict[str, Any]:
    """For a command's result."""
    return {"sku": item.sku, "on_hand": item.on_hand, "reserved": item.reserved, "available": item.available}
