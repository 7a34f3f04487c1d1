"""The order's state table, and what is derived from amounts and quantities."""

from __future__ import annotations

import pytest

from acme.errors import Conflict
from commands.orders.derived import FulfilmentStatus, PaymentStatus, fulfilment_status, payment_status
from commands.orders.models import Order
from commands.orders.states import check_payable, check_shippable, check_state

S = Order.Status
ALLOWED = {(S.PLACED, S.CONFIRMED), (S.PLACED, S.CANCELLED), (S.CONFIRMED, S.CANCELLED), (S.CONFIRMED, S.COMPLETED)}


@pytest.mark.parametrize("current", S)
@pytest.mark.parametrize("target", S)
def test_only_what_the_table_names_is_allowed(current: Order.Status, target: Order.Status) -> None:
    order = Order(number="1", status=current)
    if (current, target) in ALLOWED:
        check_state(order, target)
        return
    with pytest.raises(Conflict) as caught:
        check_state(order, target)
    assert caught.value.code == "wrong-state"


@pytest.mark.parametrize(("check", "only"), [(check_payable, S.PLACED), (check_shippable, S.CONFIRMED)])
@pytest.mark.parametrize("current", S)
def test_each_step_has_its_state(check: object, only: Order.Status, current: Order.Status) -> None:
    order = Order(number="1", status=current)
    if current is only:
        check(order)  # type: ignore[operator]
        return
    with pytest.raises(Conflict):
        check(order)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("paid", "total", "status"),
    [(0, 100, PaymentStatus.NONE), (1, 100, PaymentStatus.PARTIAL), (100, 100, PaymentStatus.FULL), (0, 0, "full")],
)
def test_payment_status(paid: int, total: int, status: str) -> None:
    assert payment_status(paid_minor=paid, total_minor=total) == status


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        ([(2, 0), (1, 0)], FulfilmentStatus.UNFULFILLED),
        ([(2, 0), (1, 1)], FulfilmentStatus.PARTIAL),
        ([(2, 2), (1, 1)], FulfilmentStatus.FULFILLED),
    ],
)
def test_fulfilment_status(lines: list[tuple[int, int]], status: FulfilmentStatus) -> None:
    assert fulfilment_status(lines) is status
