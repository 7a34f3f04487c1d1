"""Record money taken for an order by the manual provider; full payment confirms the order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.base import Money
from acme.contracts.orders import OrderPaymentRecorded
from acme.errors import Conflict, Invalid
from acme.identity import Actor
from acme.money import decimal_text
from commands.handling import Done
from commands.orders.confirm import confirm
from commands.orders.derived import payment_status
from commands.orders.models import Order
from commands.orders.sale import lines_of, summary
from commands.orders.states import check_payable
from commands.outbox.record import record
from commands.ownership import lock_owned
from commands.texts import clean_text

MANUAL = "manual"
REFERENCE_LENGTH = 100


@dataclass(frozen=True, kw_only=True)
class PayOrder:
    order_id: UUID
    amount: Money
    reference: str = ""
    expected_version: int | None = None


def pay_order(command: PayOrder, *, actor: Actor, now: datetime) -> Done:
    """The owner and staff may. Payments add up and never exceed the total.

    Raises `Invalid` for an amount that is not positive or in another currency, `Conflict` ``payment-exceeds-total`` or
    ``wrong-state``.
    """
    order = lock_owned(Order, id=command.order_id, actor=actor, expected_version=command.expected_version)
    reference = clean_text(command.reference, pointer="/reference", max_length=REFERENCE_LENGTH) or ""
    check_payable(order)
    _check_amount(order, command.amount)
    paid = order.paid_minor + command.amount.amount_minor
    recorded = OrderPaymentRecorded(
        order_id=order.id,
        amount=command.amount,
        paid=Money(paid, order.currency),
        old_paid=Money(order.paid_minor, order.currency),
        provider=MANUAL,
        reference=reference,
    )
    record(order, recorded, actor=actor, now=now)
    order.paid_minor = paid
    order.payments.create(amount_minor=command.amount.amount_minor, provider=MANUAL, reference=reference, taken_at=now)
    if paid == order.total_minor:
        confirm(order, lines_of(order), actor=actor, now=now)
    order.save()
    status = payment_status(paid_minor=paid, total_minor=order.total_minor)
    money = {"amount_minor": paid, "currency": order.currency}
    return Done(
        id=order.id,
        version=order.version,
        result={**summary(order), "paid": money, "payment_status": str(status)},
    )


def _check_amount(order: Order, amount: Money) -> None:
    if amount.currency != order.currency:
        raise Invalid(f"the order is in {order.currency}", code="wrong-currency", pointer="/amount/currency")
    if amount.amount_minor <= 0:
        raise Invalid("a payment is more than nothing", code="out-of-range", pointer="/amount/amount_minor")
    left = order.total_minor - order.paid_minor
    if amount.amount_minor > left:
        raise Conflict(
            f"only {decimal_text(left, order.currency)} {order.currency} is left to pay",
            code="payment-exceeds-total",
            pointer="/amount/amount_minor",
        )
