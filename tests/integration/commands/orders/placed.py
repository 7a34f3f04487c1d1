"""Orders in each state, for the tests of what may be done to them."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from acme.contracts.base import Money
from acme.identity import Actor
from commands.orders.items import Item
from commands.orders.models import Order
from commands.orders.pay_order import PayOrder, pay_order
from commands.orders.place_order import PlaceOrder, place_order
from tests.integration.commands.shop import NOBODY, run


@dataclass(frozen=True)
class Placed:
    """An order and the guest to whom it belongs."""

    id: UUID
    guest: Actor

    @property
    def row(self) -> Order:
        return Order.objects.get(id=self.id)


def placed(*items: tuple[str, int]) -> Placed:
    """An order of a guest for these (SKU, pieces), which must be in stock."""
    lines = tuple(Item(sku=sku, quantity=quantity) for sku, quantity in items)
    done = run(place_order, PlaceOrder(lines=lines), NOBODY)
    return Placed(done.id, Actor(guest_token=done.result["token"]))


def confirmed(*items: tuple[str, int]) -> Placed:
    """Such an order, paid in full."""
    order = placed(*items)
    row = order.row
    run(pay_order, PayOrder(order_id=order.id, amount=Money(row.total_minor, row.currency)), order.guest)
    return order
