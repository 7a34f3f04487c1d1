"""Orders and past returns as the tables have them; see `commands.states`."""

from __future__ import annotations

from typing import Any

import msgspec

from acme.contracts.envelope import time_text
from commands.orders.derived import fulfilment_status, payment_status
from commands.orders.models import Order, PastReturn
from commands.orders.sale import lines_of
from commands.texts import id_text


def order_state(order: Order) -> dict[str, Any]:
    """Payments and fulfilments in the order in which they happened."""
    shipped = {row.line: row.shipped for row in order.lines.all()}
    lines = [{**msgspec.to_builtins(line), "shipped": shipped[line.line]} for line in lines_of(order)]
    payments = [
        {
            "amount_minor": payment.amount_minor,
            "provider": payment.provider,
            "reference": payment.reference,
            "at": time_text(payment.taken_at),
        }
        for payment in sorted(order.payments.all(), key=lambda payment: payment.id)
    ]
    fulfilments = [
        {
            "id": str(fulfilment.id),
            "tracking": fulfilment.tracking,
            "lines": fulfilment.lines,
            "at": time_text(fulfilment.shipped_at),
        }
        for fulfilment in sorted(order.fulfilments.all(), key=lambda fulfilment: fulfilment.id)
    ]
    return {
        "number": order.number,
        "source": order.source,
        "customer_id": id_text(order.customer_id),
        "guest_token_hash": order.guest_token_hash,
        "cart_id": id_text(order.cart_id),
        "email": order.email,
        "name": order.name,
        "country": order.country,
        "status": str(order.status),
        "payment_status": str(payment_status(paid_minor=order.paid_minor, total_minor=order.total_minor)),
        "fulfilment_status": str(fulfilment_status((line["quantity"], line["shipped"]) for line in lines)),
        "currency": order.currency,
        "total_minor": order.total_minor,
        "paid_minor": order.paid_minor,
        "placed_at": time_text(order.placed_at),
        "lines": lines,
        "payments": payments,
        "fulfilments": fulfilments,
    }


def past_return_state(past_return: PastReturn) -> dict[str, Any]:
    return {
        "number": past_return.number,
        "source": past_return.source,
        "customer_id": id_text(past_return.customer_id),
        "country": past_return.country,
        "currency": past_return.currency,
        "total_minor": past_return.total_minor,
        "returned_at": time_text(past_return.returned_at),
        "lines": past_return.lines,
    }
