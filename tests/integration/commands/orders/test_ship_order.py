"""Shipping: in parts or all that is left; the last parcel completes the order; stock leaves the house."""

from __future__ import annotations

import pytest

from acme.contracts.inventory import StockShipped
from acme.contracts.orders import FulfilmentShipped, OrderCompleted, ShippedLine
from acme.errors import Conflict, Forbidden, Invalid, NotAuthenticated
from acme.identity import Actor
from commands.inventory.models import Reservation, StockItem
from commands.orders.items import Item
from commands.orders.models import Fulfilment
from commands.orders.ship_order import ShipOrder, ship_order
from tests.integration.commands.orders.placed import Placed, confirmed, placed
from tests.integration.commands.shop import NOBODY, STAFF, STRANGER, events_of, refused, run, stocked

pytestmark = pytest.mark.django_db


@pytest.fixture
def order() -> Placed:
    stocked("MUG", on_hand=5)
    stocked("PLATE", on_hand=5)
    return confirmed(("MUG", 3), ("PLATE", 1))


def ship(order: Placed, *lines: tuple[str, int], tracking: str = "") -> ShipOrder:
    items = tuple(Item(sku=sku, quantity=quantity) for sku, quantity in lines)
    return ShipOrder(order_id=order.id, lines=items or None, tracking=tracking)


def test_in_parts_and_then_all_that_is_left(order: Placed) -> None:
    first = run(ship_order, ship(order, ("MUG", 1), ("MUG", 1), tracking="RM1"), STAFF)
    assert (first.version, first.result["status"], first.result["fulfilment_status"]) == (4, "confirmed", "partial")
    last = run(ship_order, ship(order), STAFF)
    assert (last.version, last.result["status"], last.result["fulfilment_status"]) == (6, "completed", "fulfilled")
    parcels = list(Fulfilment.objects.order_by("id"))
    assert events_of(order.id)[3:] == [
        FulfilmentShipped(
            order_id=order.id,
            fulfilment_id=parcels[0].id,
            lines=[ShippedLine(line=1, sku="MUG", quantity=2)],
            tracking="RM1",
        ),
        FulfilmentShipped(
            order_id=order.id,
            fulfilment_id=parcels[1].id,
            lines=[ShippedLine(line=1, sku="MUG", quantity=1), ShippedLine(line=2, sku="PLATE", quantity=1)],
            tracking="",
        ),
        OrderCompleted(order_id=order.id),
    ]
    assert parcels[1].lines == [
        {"line": 1, "sku": "MUG", "quantity": 1},
        {"line": 2, "sku": "PLATE", "quantity": 1},
    ]
    assert list(order.row.lines.values_list("quantity", "shipped")) == [(3, 3), (1, 1)]
    stock = StockItem.objects.get(sku="MUG")
    assert (stock.on_hand, stock.reserved, Reservation.objects.count()) == (2, 0, 0)
    assert [type(event) for event in events_of(stock.id)[-2:]] == [StockShipped, StockShipped]


def test_no_more_than_is_left_and_only_what_was_ordered(order: Placed) -> None:
    with refused(Conflict, code="more-than-left", pointer="/lines/0/quantity"):
        run(ship_order, ship(order, ("MUG", 4)), STAFF)
    with refused(Conflict, code="more-than-left", pointer="/lines/1/quantity"):
        run(ship_order, ship(order, ("MUG", 2), ("MUG", 2)), STAFF)
    with refused(Invalid, pointer="/lines/1/sku"):
        run(ship_order, ship(order, ("MUG", 1), ("CUP", 1)), STAFF)
    with refused(Invalid, pointer="/lines/0/quantity"):
        run(ship_order, ship(order, ("MUG", 0)), STAFF)
    with refused(Invalid, pointer="/lines"):
        run(ship_order, ShipOrder(order_id=order.id, lines=()), STAFF)
    with refused(Invalid, pointer="/tracking"):
        run(ship_order, ship(order, tracking="x" * 101), STAFF)


def test_only_confirmed_orders(order: Placed) -> None:
    run(ship_order, ship(order), STAFF)
    for unready in (order, placed(("MUG", 1))):
        with refused(Conflict, code="wrong-state"):
            run(ship_order, ship(unready), STAFF)


@pytest.mark.parametrize(
    ("actor", "kind"), [(STRANGER, Forbidden), (None, NotAuthenticated), (NOBODY, NotAuthenticated)]
)
def test_staff_only(order: Placed, actor: Actor | None, kind: type) -> None:
    with refused(kind):
        run(ship_order, ship(order), actor or order.guest)
