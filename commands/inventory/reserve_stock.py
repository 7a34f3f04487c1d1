"""Hold pieces of several variants for an order, all or none; a step of placing an order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from acme.contracts.inventory import StockReserved
from acme.errors import Conflict
from acme.identity import Actor
from commands.catalog.find import skus_of
from commands.copying import copy_rows
from commands.handling import Done
from commands.inventory.items import lock_items
from commands.inventory.models import Reservation, StockItem
from commands.inventory.movements import Movements, demand_per_variant


@dataclass(frozen=True, kw_only=True)
class ReserveStock:
    """``lines``: (variant id, pieces); a variant may come several times. ``pointers``: variant id → JSON
    pointer to blame in the caller's input."""

    order_id: UUID
    lines: tuple[tuple[UUID, int], ...]
    pointers: Mapping[UUID, str] = field(default_factory=dict)


def reserve_stock(command: ReserveStock, *, actor: Actor, now: datetime) -> Done:
    """Internal. Raises `Conflict` ``out-of-stock``, or ``already-reserved`` when the order holds pieces already."""
    demand = demand_per_variant(command.lines)
    items = lock_items(demand)
    if Reservation.objects.filter(order_id=command.order_id).exists():
        raise Conflict(f"stock is reserved for order {command.order_id} already", code="already-reserved")
    _check_available(command, demand, items)
    movements = Movements(actor, now)
    for item in items.values():
        quantity = demand[item.variant_id]
        movements.move(
            item,
            StockReserved,
            reserved=quantity,
            note=f"order {command.order_id}",
            quantity=quantity,
            members={"quantity": quantity, "order_id": command.order_id},
        )
    movements.save()
    held = ((item.id, command.order_id, demand[item.variant_id]) for item in items.values())
    if items:
        copy_rows(Reservation, ("item_id", "order_id", "quantity"), held)
    return Done(id=command.order_id, version=0, changed=bool(items))


def _check_available(command: ReserveStock, demand: dict[UUID, int], items: dict[UUID, StockItem]) -> None:
    available = {variant_id: items[variant_id].available if variant_id in items else 0 for variant_id in demand}
    short = [variant_id for variant_id, quantity in demand.items() if quantity > available[variant_id]]
    if not short:
        return
    skus = skus_of(short)
    said = "; ".join(
        f"{available[variant_id]} of {skus.get(variant_id, variant_id)} available, {demand[variant_id]} wanted"
        for variant_id in short
    )
    raise Conflict(said, code="out-of-stock", pointer=command.pointers.get(short[0]))
