"""Cancel an order of which nothing has been shipped; its reserved stock is released."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.orders import OrderCancelled
from acme.errors import Conflict, Invalid
from acme.identity import Actor
from commands.handling import Done
from commands.inventory.release_stock import ReleaseStock, release_stock
from commands.orders.models import Order
from commands.orders.sale import lines_of, sale_of, summary
from commands.orders.states import check_state
from commands.outbox.record import record
from commands.ownership import lock_owned
from commands.texts import clean_text

REASON_LENGTH = 200


@dataclass(frozen=True, kw_only=True)
class CancelOrder:
    order_id: UUID
    reason: str
    expected_version: int | None = None


def cancel_order(command: CancelOrder, *, actor: Actor, now: datetime) -> Done:
    """The owner and staff may. Raises `Conflict` ``wrong-state``, also once something is shipped.

    Money that was taken stays recorded as paid: giving it back is a refund, which is another command's business.
    """
    order = lock_owned(Order, id=command.order_id, actor=actor, expected_version=command.expected_version)
    reason = clean_text(command.reason, pointer="/reason", max_length=REASON_LENGTH)
    if reason is None:
        raise Invalid("a reason is needed", code="required", pointer="/reason")
    check_state(order, Order.Status.CANCELLED)
    if order.lines.filter(shipped__gt=0).exists():
        raise Conflict(f"order {order.number} is shipped in part and cannot be cancelled", code="wrong-state")
    lines = lines_of(order)
    release_stock(ReleaseStock(order_id=order.id), actor=actor, now=now)
    was_confirmed = order.status == Order.Status.CONFIRMED
    cancelled = OrderCancelled(**sale_of(order, lines), reason=reason, was_confirmed=was_confirmed)
    record(order, cancelled, actor=actor, now=now)
    order.status = Order.Status.CANCELLED
    order.save()
    return Done(id=order.id, version=order.version, result=summary(order))
