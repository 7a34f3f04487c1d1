"""What all events of a sale say of an order, and its lines between table and contract."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from acme.contracts import orders as contract
from acme.contracts.base import Money
from commands.copying import copy_rows
from commands.orders.models import Order, OrderLine

#: Columns of a line that are the same in table and contract.
PLAIN = ("line", "product_id", "variant_id", "sku", "name", "category_id", "quantity")
COLUMNS = ("order_id", *PLAIN, "shipped", "unit_price_minor", "amount_minor")


def save_lines(sales: Iterable[tuple[Order, Sequence[contract.OrderLine]]], *, shipped: bool = False) -> None:
    """Inserts the lines of saved orders, as shipped in full or not at all."""
    rows = (
        (
            order.id,
            *(getattr(line, name) for name in PLAIN),
            line.quantity if shipped else 0,
            line.unit_price.amount_minor,
            line.amount.amount_minor,
        )
        for order, lines in sales
        for line in lines
    )
    copy_rows(OrderLine, COLUMNS, rows)


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
