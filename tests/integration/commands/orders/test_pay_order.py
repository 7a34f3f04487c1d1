"""Paying: partial payments add up, full payment confirms, never above the total."""

from __future__ import annotations

import pytest

from acme.contracts.base import Money
from acme.contracts.orders import OrderConfirmed, OrderPaymentRecorded, OrderPlaced
from acme.errors import Conflict, Invalid, ShopError, StaleVersion
from commands.orders.models import OrderPayment
from commands.orders.pay_order import PayOrder, pay_order
from tests.integration.commands.orders.placed import Placed, confirmed, placed
from tests.integration.commands.orders.test_place_order import at_once
from tests.integration.commands.shop import STAFF, events_of, refused, run, stocked


def gbp(amount_minor: int) -> Money:
    return Money(amount_minor, "GBP")


@pytest.fixture
def order(db: None) -> Placed:
    stocked("MUG", price=1250)
    return placed(("MUG", 2))


def test_payments_add_up_and_the_last_confirms(order: Placed) -> None:
    first = run(pay_order, PayOrder(order_id=order.id, amount=gbp(1000), reference=" till 1 "), order.guest)
    assert (first.version, first.result["status"], first.result["payment_status"]) == (2, "placed", "partial")
    last = run(pay_order, PayOrder(order_id=order.id, amount=gbp(1500), expected_version=2), STAFF)
    assert (last.version, last.result["status"], last.result["payment_status"]) == (4, "confirmed", "full")
    assert last.result["paid"] == {"amount_minor": 2500, "currency": "GBP"}
    assert (order.row.status, order.row.paid_minor, order.row.version) == ("confirmed", 2500, 4)
    opened, paid, rest, sale = events_of(order.id)
    about = {"order_id": order.id, "provider": "manual"}
    assert paid == OrderPaymentRecorded(**about, amount=gbp(1000), paid=gbp(1000), old_paid=gbp(0), reference="till 1")
    assert rest == OrderPaymentRecorded(**about, amount=gbp(1500), paid=gbp(2500), old_paid=gbp(1000), reference="")
    assert isinstance(opened, OrderPlaced) and isinstance(sale, OrderConfirmed)
    assert (sale.lines, sale.total, sale.placed_at) == (opened.lines, opened.total, opened.placed_at)
    assert list(OrderPayment.objects.order_by("id").values_list("amount_minor", flat=True)) == [1000, 1500]


@pytest.mark.parametrize(
    ("amount", "kind", "code"),
    [
        (gbp(2501), Conflict, "payment-exceeds-total"),
        (gbp(0), Invalid, "out-of-range"),
        (gbp(-1), Invalid, "out-of-range"),
        (Money(2500, "EUR"), Invalid, "wrong-currency"),
    ],
)
def test_wrong_amounts(order: Placed, amount: Money, kind: type[ShopError], code: str) -> None:
    with refused(kind, code=code):
        run(pay_order, PayOrder(order_id=order.id, amount=amount), order.guest)


def test_the_rest_is_the_limit(order: Placed) -> None:
    run(pay_order, PayOrder(order_id=order.id, amount=gbp(2000)), order.guest)
    with refused(Conflict, code="payment-exceeds-total"):
        run(pay_order, PayOrder(order_id=order.id, amount=gbp(501)), order.guest)


def test_a_confirmed_order_or_a_stale_version_is_refused(order: Placed) -> None:
    with refused(StaleVersion):
        run(pay_order, PayOrder(order_id=order.id, amount=gbp(1), expected_version=5), order.guest)
    paid = confirmed(("MUG", 1))
    with refused(Conflict, code="wrong-state"):
        run(pay_order, PayOrder(order_id=paid.id, amount=gbp(1)), paid.guest)


def test_payments_at_once_never_exceed_the_total(shop_database: None) -> None:
    stocked("MUG", price=1000)
    order = placed(("MUG", 1))
    answers = at_once(8, lambda: run(pay_order, PayOrder(order_id=order.id, amount=gbp(400)), order.guest))
    assert answers == ["done"] * 2 + ["payment-exceeds-total"] * 6
    assert order.row.paid_minor == 800
