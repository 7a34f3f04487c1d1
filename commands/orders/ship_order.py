"""Ship some or all lines of a confirmed order; when everything has left, the order is completed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.orders import FulfilmentShipped, OrderCompleted, ShippedLine
from acme.errors import Conflict, Invalid
from acme.identity import Actor, Role
from commands.handling import Done, lock, requires
from commands.inventory.ship_stock import ShipStock, ship_stock
from commands.orders.derived import fulfilment_status
from commands.orders.items import Item
from commands.orders.models import Fulfilment, Order, OrderLine
from commands.orders.sale import summary
from commands.orders.states import check_shippable, check_state
from commands.outbox.record import record
from commands.texts import clean_text
from commands.updating import update_rows

TRACKING_LENGTH = 100


@dataclass(frozen=True, kw_only=True)
class ShipOrder:
    """``lines`` None: all that is left."""

    order_id: UUID
    lines: tuple[Item, ...] | None = None
    tracking: str = ""
    expected_version: int | None = None


@requires(Role.STAFF)
def ship_order(command: ShipOrder, *, actor: Actor, now: datetime) -> Done:
    """Staff only. Raises `Conflict` ``wrong-state`` or ``more-than-left``, `Invalid` for a SKU not in the order."""
    order = lock(Order, id=command.order_id, expected_version=command.expected_version)
    check_shippable(order)
    tracking = clean_text(command.tracking, pointer="/tracking", max_length=TRACKING_LENGTH) or ""
    rows = list(order.lines.all())
    parcel = _all_left(rows) if command.lines is None else _chosen(rows, command.lines)
    moved = tuple((row.variant_id, quantity) for row, quantity in parcel)
    ship_stock(ShipStock(order_id=order.id, lines=moved), actor=actor, now=now)
    for row, quantity in parcel:
        row.shipped += quantity
    update_rows(OrderLine, [row for row, _ in parcel], ["shipped"])
    shipped = [ShippedLine(line=row.line, sku=row.sku, quantity=quantity) for row, quantity in parcel]
    fulfilment = Fulfilment(order=order, tracking=tracking, lines=[_json(line) for line in shipped], shipped_at=now)
    fulfilment.save(force_insert=True)
    recorded = FulfilmentShipped(order_id=order.id, fulfilment_id=fulfilment.id, lines=shipped, tracking=tracking)
    record(order, recorded, actor=actor, now=now)
    if not _all_left(rows):
        check_state(order, Order.Status.COMPLETED)
        record(order, OrderCompleted(order_id=order.id), actor=actor, now=now)
        order.status = Order.Status.COMPLETED
    order.save()
    status = fulfilment_status((row.quantity, row.shipped) for row in rows)
    return Done(
        id=order.id,
        version=order.version,
        result={**summary(order), "fulfilment_id": str(fulfilment.id), "fulfilment_status": str(status)},
    )


def _all_left(rows: Sequence[OrderLine]) -> list[tuple[OrderLine, int]]:
    return [(row, row.quantity - row.shipped) for row in rows if row.shipped < row.quantity]


def _chosen(rows: Sequence[OrderLine], items: Sequence[Item]) -> list[tuple[OrderLine, int]]:
    """The rows with the pieces that were asked for, summed per SKU, which placed orders have on one line each."""
    if not items:
        raise Invalid("name at least one line, or leave lines out to ship all", code="required", pointer="/lines")
    by_sku = {row.sku: row for row in rows}
    asked: dict[str, int] = {}
    for index, item in enumerate(items):
        row = by_sku.get(item.sku)
        if row is None:
            raise Invalid(f"{item.sku} is not in the order", code="not-in-order", pointer=f"/lines/{index}/sku")
        pointer = f"/lines/{index}/quantity"
        if item.quantity < 1:
            raise Invalid("at least one piece", code="out-of-range", pointer=pointer)
        asked[item.sku] = asked.get(item.sku, 0) + item.quantity
        left = row.quantity - row.shipped
        if asked[item.sku] > left:
            raise Conflict(f"only {left} of {item.sku} are left to ship", code="more-than-left", pointer=pointer)
    return [(by_sku[sku], quantity) for sku, quantity in asked.items()]


def _json(line: ShippedLine) -> dict[str, int | str]:
    return {"line": line.line, "sku": line.sku, "quantity": line.quantity}
