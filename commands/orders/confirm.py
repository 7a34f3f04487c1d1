"""The step from placed to confirmed, which follows from full payment and is no command of its own."""

from __future__ import annotations

from datetime import datetime

from acme.contracts.orders import OrderConfirmed, OrderLine
from acme.identity import Actor
from commands.orders.models import Order
from commands.orders.sale import sale_of
from commands.orders.states import check_state
from commands.outbox.record import record


def confirm(order: Order, lines: list[OrderLine], *, actor: Actor, now: datetime) -> None:
    """Records that a locked order is fully paid; the caller saves it."""
    check_state(order, Order.Status.CONFIRMED)
    record(order, OrderConfirmed(**sale_of(order, lines)), actor=actor, now=now)
    order.status = Order.Status.CONFIRMED
