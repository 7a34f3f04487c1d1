"""Random commands on one order, by hypothesis: a tiny model says what each may do, and the books always balance."""

from __future__ import annotations

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from acme.contracts.base import Money
from acme.errors import ShopError
from commands.inventory.models import Reservation, StockItem
from commands.orders.cancel_order import CancelOrder, cancel_order
from commands.orders.items import Item
from commands.orders.models import OrderPayment
from commands.orders.pay_order import PayOrder, pay_order
from commands.orders.ship_order import ShipOrder, ship_order
from tests.integration.commands.orders.placed import Placed, placed
from tests.integration.commands.shop import STAFF, events_of, run, stocked

ON_HAND, ORDERED, PRICE = 5, {"A": 2, "B": 3}, 10
TOTAL = PRICE * sum(ORDERED.values())

STEPS = st.one_of(
    st.tuples(st.just("pay"), st.sampled_from([1, 25, TOTAL - 1, TOTAL, TOTAL + 1])),
    st.tuples(st.just("ship"), st.dictionaries(st.sampled_from(["A", "B"]), st.integers(1, 3), min_size=1)),
    st.tuples(st.just("ship"), st.none()),
    st.tuples(st.just("cancel"), st.none()),
)


class Model:
    """What the order should be after each step; `step` answers whether it should have been accepted."""

    def __init__(self) -> None:
        self.status, self.paid, self.shipped = "placed", 0, dict.fromkeys(ORDERED, 0)

    def step(self, verb: str, what: int | dict[str, int] | None) -> bool:
        return getattr(self, verb)(what)

    def pay(self, amount: int) -> bool:
        if self.status != "placed" or self.paid + amount > TOTAL:
            return False
        self.paid += amount
        self.status = "confirmed" if self.paid == TOTAL else "placed"
        return True

    def ship(self, lines: dict[str, int] | None) -> bool:
        left = {sku: ORDERED[sku] - self.shipped[sku] for sku in ORDERED}
        lines = left if lines is None else lines
        if self.status != "confirmed" or any(quantity > left[sku] for sku, quantity in lines.items()):
            return False
        for sku, quantity in lines.items():
            self.shipped[sku] += quantity
        self.status = "completed" if self.shipped == ORDERED else "confirmed"
        return True

    def cancel(self, _: None) -> bool:
        if self.status not in {"placed", "confirmed"} or any(self.shipped.values()):
            return False
        self.status = "cancelled"
        return True


def carried_out(order: Placed, verb: str, what: int | dict[str, int] | None) -> bool:
    try:
        if verb == "pay":
            assert isinstance(what, int)
            run(pay_order, PayOrder(order_id=order.id, amount=Money(what, "GBP")), order.guest)
        elif verb == "ship":
            items = (
                tuple(Item(sku=sku, quantity=quantity) for sku, quantity in what.items())
                if isinstance(what, dict)
                else None
            )
            run(ship_order, ShipOrder(order_id=order.id, lines=items), STAFF)
        else:
            run(cancel_order, CancelOrder(order_id=order.id, reason="random"), order.guest)
    except ShopError:
        return False
    return True


def check(order: Placed, model: Model) -> None:
    row = order.row
    assert (row.status, row.paid_minor) == (model.status, model.paid)
    assert row.paid_minor <= row.total_minor == TOTAL
    assert sum(OrderPayment.objects.filter(order_id=order.id).values_list("amount_minor", flat=True)) == row.paid_minor
    for sku, quantity, shipped in row.lines.values_list("sku", "quantity", "shipped"):
        stock = StockItem.objects.get(sku=sku)
        held = 0 if model.status == "cancelled" else quantity - shipped
        assert shipped == model.shipped[sku] <= quantity
        assert (stock.on_hand, stock.reserved) == (ON_HAND - shipped, held)
        reserved = Reservation.objects.filter(order_id=order.id, item=stock).values_list("quantity", flat=True)
        assert sum(reserved) == held
    assert len(events_of(order.id)) == row.version


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(paid=st.booleans(), steps=st.lists(STEPS, min_size=2, max_size=8))
def test_the_books_balance_after_every_step(paid: bool, steps: list[tuple[str, int | dict[str, int] | None]]) -> None:
    """Half of the orders are paid first, so that shipping is reached often."""
    with transaction.atomic():
        for sku in ORDERED:
            stocked(sku, price=PRICE, on_hand=ON_HAND)
        order, model = placed(*ORDERED.items()), Model()
        check(order, model)
        for verb, what in [("pay", TOTAL), *steps] if paid else steps:
            assert carried_out(order, verb, what) == model.step(verb, what), (verb, what, model.status)
            check(order, model)
        transaction.set_rollback(True)
