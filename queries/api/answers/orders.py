"""An order as its customer and the staff see it; what only proves ownership stays inside."""

from __future__ import annotations

from typing import Any

from queries.money import money, money_of
from queries.reading import Stored

#: What a listing needs of an order.
_SUMMARY = (
    "version number customer_id email name country status payment_status fulfilment_status currency total_minor "
    "paid_minor placed_at updated_at"
)
SUMMARY_FIELDS = {f"order.{name}": 1 for name in _SUMMARY.split()}


def order_summary(document: Stored) -> dict[str, Any]:
    """One entry of a listing."""
    section = document["order"]
    currency = section["currency"]
    return {
        "id": document["_id"],
        "version": section["version"],
        "number": section["number"],
        "customer_id": section.get("customer_id"),
        "email": section.get("email"),
        "name": section.get("name"),
        "country": section.get("country"),
        "status": section["status"],
        "payment_status": section.get("payment_status"),
        "fulfilment_status": section.get("fulfilment_status"),
        "total": money(section["total_minor"], currency),
        "paid": money(section.get("paid_minor") or 0, currency),
        "placed_at": section["placed_at"],
        "updated_at": section.get("updated_at"),
    }


def order_detail(document: Stored) -> dict[str, Any]:
    """The summary with lines, payments, fulfilments and everything that happened to it, in order."""
    section = document["order"]
    currency = section["currency"]
    return {
        **order_summary(document),
        "source": section.get("source"),
        "cart_id": section.get("cart_id"),
        "lines": [_line(line) for line in section.get("lines") or ()],
        "payments": [_payment(payment, currency) for payment in section.get("payments") or ()],
        "fulfilments": [_fulfilment(fulfilment) for fulfilment in section.get("fulfilments") or ()],
        "timeline": [{"event": entry["event"], "at": entry["at"]} for entry in section.get("timeline") or ()],
    }


def _line(line: Stored) -> dict[str, Any]:
    names = ("line", "product_id", "variant_id", "sku", "name", "category_id", "quantity")
    return {
        **{name: line.get(name) for name in names},
        "shipped": line.get("shipped") or 0,
        "unit_price": money_of(line["unit_price"]),
        "amount": money_of(line["amount"]),
    }


def _payment(payment: Stored, currency: str) -> dict[str, Any]:
    return {
        "amount": money(payment["amount_minor"], currency),
        "provider": payment.get("provider"),
        "reference": payment.get("reference"),
        "at": payment["at"],
    }


def _fulfilment(fulfilment: Stored) -> dict[str, Any]:
    lines = [{name: line[name] for name in ("line", "sku", "quantity")} for line in fulfilment.get("lines") or ()]
    return {
        "id": fulfilment["id"],
        "tracking": fulfilment.get("tracking") or "",
        "lines": lines,
        "at": fulfilment["at"],
    }
