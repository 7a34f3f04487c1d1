"""reserve_stock, release_stock, ship_stock: steps of an order, for several items at once."""

from __future__ import annotations

from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from acme.contracts.inventory import ReservationReleased, StockReserved, StockShipped
from acme.errors import Conflict, Invalid
from acme.identity import Actor
from commands.inventory.models import Reservation, StockItem, StockMovement
from commands.inventory.release_stock import ReleaseStock, release_stock
from commands.inventory.reserve_stock import ReserveStock, reserve_stock
from commands.inventory.ship_stock import ShipStock, ship_stock
from tests.integration.commands.inventory.warehouse import level, reserve, stocked
from tests.integration.commands.shop import events_of, refused, run

pytestmark = pytest.mark.django_db


def test_reserve_sums_the_demand_of_lines() -> None:
    ids, order = stocked(A=5, B=1), uuid4()
    command = ReserveStock(order_id=order, lines=((ids["A"], 2), (ids["B"], 1), (ids["A"], 3)))
    done = run(reserve_stock, command, Actor(guest_token="somebody"))
    assert (done.id, done.changed) == (order, True)
    assert (level("A"), level("B")) == ((5, 5), (1, 1))
    item = StockItem.objects.get(sku="A")
    event = events_of(item.id)[-1]
    assert isinstance(event, StockReserved)
    assert (event.quantity, event.order_id, event.old_reserved, event.reserved, event.on_hand) == (5, order, 0, 5, 5)
    assert Reservation.objects.get(item=item).quantity == 5


def test_all_or_nothing_and_every_shortage_is_named() -> None:
    ids = stocked(A=5, B=1, C=0)
    command = ReserveStock(
        order_id=uuid4(),
        lines=((ids["A"], 5), (ids["B"], 1), (ids["B"], 1), (ids["C"], 1)),
        pointers={ids["B"]: "/lines/1/quantity"},
    )
    with refused(Conflict, code="out-of-stock", pointer="/lines/1/quantity") as errors:
        run(reserve_stock, command)
    assert errors[0].detail == "1 of B available, 2 wanted; 0 of C available, 1 wanted"


def test_what_others_hold_is_not_available() -> None:
    ids = stocked(A=3)
    reserve(uuid4(), (ids["A"], 2))
    with refused(Conflict, code="out-of-stock"):
        reserve(uuid4(), (ids["A"], 2))
    reserve(uuid4(), (ids["A"], 1))


def test_an_order_reserves_once_and_sensible_quantities() -> None:
    ids, order = stocked(A=3), uuid4()
    reserve(order, (ids["A"], 1))
    with refused(Conflict, code="already-reserved"):
        reserve(order, (ids["A"], 1))
    for quantity in (0, -1):
        with refused(Invalid):
            reserve(uuid4(), (ids["A"], quantity))


def test_release_gives_back_what_is_left() -> None:
    ids, order = stocked(A=5, B=2), uuid4()
    reserve(order, (ids["A"], 4), (ids["B"], 2))
    run(ship_stock, ShipStock(order_id=order, lines=((ids["A"], 1), (ids["B"], 2))))
    assert run(release_stock, ReleaseStock(order_id=order)).changed
    assert (level("A"), level("B")) == ((4, 0), (0, 0))
    event = events_of(StockItem.objects.get(sku="A").id)[-1]
    assert isinstance(event, ReservationReleased)
    assert (event.quantity, event.order_id, event.old_reserved, event.reserved) == (3, order, 3, 0)
    assert not Reservation.objects.exists()
    assert not run(release_stock, ReleaseStock(order_id=order)).changed


def test_ship_in_parts() -> None:
    ids, order = stocked(A=5), uuid4()
    reserve(order, (ids["A"], 3))
    run(ship_stock, ShipStock(order_id=order, lines=((ids["A"], 1), (ids["A"], 1))))
    assert level("A") == (3, 1)
    item = StockItem.objects.get()
    event = events_of(item.id)[-1]
    assert isinstance(event, StockShipped)
    assert (event.quantity, event.order_id) == (2, order)
    assert (event.old_on_hand, event.on_hand, event.old_reserved, event.reserved) == (5, 3, 3, 1)
    run(ship_stock, ShipStock(order_id=order, lines=((ids["A"], 1),)))
    assert level("A") == (2, 0)
    kinds = StockMovement.objects.order_by("version").values_list("kind", "quantity", "on_hand", "reserved")
    assert list(kinds) == [("received", 5, 5, 0), ("reserved", 3, 5, 3), ("shipped", -2, 3, 1), ("shipped", -1, 2, 0)]
    assert not Reservation.objects.exists()


def test_only_what_the_order_holds_is_shipped() -> None:
    ids, order = stocked(A=5, B=1), uuid4()
    reserve(order, (ids["A"], 2))
    reserve(uuid4(), (ids["A"], 2), (ids["B"], 1))
    for lines in [((ids["A"], 3),), ((ids["A"], 1), (ids["A"], 2)), ((ids["B"], 1),), ((uuid4(), 1),)]:
        with refused(Conflict, code="not-reserved"):
            run(ship_stock, ShipStock(order_id=order, lines=lines))


def test_the_number_of_queries_does_not_grow_with_the_lines(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    pieces = {f"S{number}": 2 for number in range(40)}
    ids, order = stocked(**pieces), uuid4()
    with django_assert_max_num_queries(12):
        reserve(order, *((variant_id, 2) for variant_id in ids.values()))
    with django_assert_max_num_queries(12):
        run(ship_stock, ShipStock(order_id=order, lines=tuple((variant_id, 1) for variant_id in ids.values())))
    with django_assert_max_num_queries(12):
        run(release_stock, ReleaseStock(order_id=order))
