"""Cancelling: stock goes back, a counted sale is taken away again, nothing after the first parcel."""

from __future__ import annotations

import pytest

from acme.contracts.inventory import ReservationReleased
from acme.contracts.orders import OrderCancelled, OrderPlaced
from acme.errors import Conflict, Invalid
from commands.inventory.models import Reservation, StockItem
from commands.orders.cancel_order import CancelOrder, cancel_order
from commands.orders.items import Item
from commands.orders.ship_order import ShipOrder, ship_order
from tests.integration.commands.orders.placed import confirmed, placed
from tests.integration.commands.shop import STAFF, events_of, refused, run, stocked

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("paid", [False, True])
def test_stock_goes_back_and_the_event_says_whether_a_sale_had_counted(paid: bool) -> None:
    stocked("MUG", on_hand=5)
    order = (confirmed if paid else placed)(("MUG", 2))
    before = order.row.version
    done = run(cancel_order, CancelOrder(order_id=order.id, reason=" too slow ", expected_version=before), order.guest)
    assert (done.version, done.result["status"], order.row.status) == (before + 1, "cancelled", "cancelled")
    opened, *_, cancelled = events_of(order.id)
    assert isinstance(opened, OrderPlaced) and isinstance(cancelled, OrderCancelled)
    assert (cancelled.reason, cancelled.was_confirmed) == ("too slow", paid)
    assert (cancelled.lines, cancelled.total, cancelled.number) == (opened.lines, opened.total, opened.number)
    stock = StockItem.objects.get()
    assert (stock.on_hand, stock.reserved, Reservation.objects.count()) == (5, 0, 0)
    assert isinstance(events_of(stock.id)[-1], ReservationReleased)


def test_not_without_a_reason() -> None:
    stocked("MUG")
    order = placed(("MUG", 1))
    for reason in ("", "  ", "x" * 201):
        with refused(Invalid, pointer="/reason"):
            run(cancel_order, CancelOrder(order_id=order.id, reason=reason), order.guest)


def test_not_twice_not_after_a_parcel_and_not_when_completed() -> None:
    stocked("MUG")
    cancelled, shipped, completed = placed(("MUG", 1)), confirmed(("MUG", 2)), confirmed(("MUG", 1))
    run(cancel_order, CancelOrder(order_id=cancelled.id, reason="x"), STAFF)
    run(ship_order, ShipOrder(order_id=shipped.id, lines=(Item(sku="MUG", quantity=1),)), STAFF)
    run(ship_order, ShipOrder(order_id=completed.id), STAFF)
    for order in (cancelled, shipped, completed):
        with refused(Conflict, code="wrong-state"):
            run(cancel_order, CancelOrder(order_id=order.id, reason="x"), STAFF)
