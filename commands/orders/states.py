"""The states of an order, as a table; payment and fulfilment status are derived instead (see `derived`)."""

from __future__ import annotations

from acme.errors import Conflict
from commands.orders.models import Order
from commands.transitions import Transitions, check_transition

S = Order.Status
#: An order that is confirmed can be cancelled only while nothing has been shipped.
ORDER: Transitions = {
    S.PLACED: frozenset({S.CONFIRMED, S.CANCELLED}),
    S.CONFIRMED: frozenset({S.CANCELLED, S.COMPLETED}),
}


def check_state(order: Order, target: Order.Status) -> None:
    """Raises `Conflict` ``wrong-state`` unless the order may go there from where it is."""
    check_transition(ORDER, what=f"order {order.number}", current=order.status, target=target)


def check_payable(order: Order) -> None:
    """Payments are taken for placed orders: a confirmed one is paid in full. Raises `Conflict` ``wrong-state``."""
    if order.status != S.PLACED:
        raise Conflict(f"order {order.number} is {order.status}: nothing is left to pay", code="wrong-state")


def check_shippable(order: Order) -> None:
    """Only what is paid for leaves the house. Raises `Conflict` ``wrong-state``."""
    if order.status != S.CONFIRMED:
        raise Conflict(f"order {order.number} is {order.status}; only confirmed orders are shipped", code="wrong-state")
