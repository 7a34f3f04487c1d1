"""Take reserved pieces out of the warehouse; a step of shipping an order, which may happen in parts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.inventory import StockShipped
from acme.errors import Conflict
from acme.identity import Actor
from commands.handling import Done
from commands.inventory.items import lock_items
from commands.inventory.models import Reservation
from commands.inventory.movements import Movements, demand_per_variant
from commands.updating import update_rows


@dataclass(frozen=True, kw_only=True)
class ShipStock:
    """``lines``: (variant id, pieces); a variant may come several times."""

    order_id: UUID
    lines: tuple[tuple[UUID, int], ...]


def ship_stock(command: ShipStock, *, actor: Actor, now: datetime) -> Done:
    """Internal. Raises `Conflict` ``not-reserved`` when fewer pieces are held for the order."""
    demand = demand_per_variant(command.lines)
    items = lock_items(demand)
    held = {row.item_id: row for row in Reservation.objects.filter(order_id=command.order_id)}
    for variant_id, quantity in demand.items():
        row = held.get(items[variant_id].id) if variant_id in items else None
        if row is None or row.quantity < quantity:
            raise Conflict(
                f"{row.quantity if row else 0} of variant {variant_id} are reserved for the order, not {quantity}",
                code="not-reserved",
            )
    movements = Movements(actor, now)
    for item in items.values():
        quantity = demand[item.variant_id]
        movements.move(
            item,
            StockShipped,
            on_hand=-quantity,
            reserved=-quantity,
            note=f"order {command.order_id}",
            quantity=-quantity,
            members={"quantity": quantity, "order_id": command.order_id},
        )
        held[item.id].quantity -= quantity
    movements.save()
    _save_reservations([held[item.id] for item in items.values()])
    return Done(id=command.order_id, version=0, changed=bool(items))


def _save_reservations(reservations: list[Reservation]) -> None:
    update_rows(Reservation, [row for row in reservations if row.quantity], ["quantity"])
    Reservation.objects.filter(id__in=[row.id for row in reservations if not row.quantity]).delete()
