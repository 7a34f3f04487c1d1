"""What all events of a sale say of an order, and its lines between table and contract."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from acme.contracts import orders as contract
from acme.contracts.base import Money
from commands.orders.models import Order, OrderLine


def rows_of(order: Order, lines: Iterable[contract.OrderLine], *, all_shipped: bool = False) -> list[OrderLine]:
    """Unsaved rows of the order's lines."""
    return [
        OrderLine(
            order=order,
            line=line.line,
            product_id=line.product_id,
            variant_id=line.variant_id,
            sku=line.sku,
            name=line.name,
            category_id=line.category_id,
            quantity=line.quantity,
            shipped=line.quantity if all_shipped else 0,
            unit_price_minor=line.unit_price.amount_minor,
            amount_minor=line.amount.amount_minor,
        )
        for line in lines
    ]


def lines_of(order: Order) -> list[contract.OrderLine]:
    """The order's lines as events carry them."""
    return [
        contract.OrderLine(
            line=row.line,
            product_id=row.product_id,
            variant_id=row.variant_id,
            sku=row.sku,
            name=row.name,
            category_id=row.category_id,
            quantity=row.quantity,
            unit_price=Money(row.unit_price_minor, order.currency),
            amount=Money(row.amount_minor, order.currency),
        )
        for row in order.lines.all()
    ]


def sale_of(order: Order, lines: list[contract.OrderLine]) -> dict[str, Any]:
    """The fields of `acme.contracts.orders.OrderSale`."""
    return {
        "order_id": order.id,
        "number": order.number,
        "customer_id": order.customer_id,
        "country": order.country,
        "placed_at": order.placed_at,
        "lines": lines,
        "total": Money(order.total_minor, order.currency),
    }


def summary(order: Order) -> dict[str, Any]:
    """What commands answer of an order, JSON-ready."""
    return {
        "number": order.number,
        "status": str(order.status),
        "total": {"amount_minor": order.total_minor, "currency": order.currency},
    }
