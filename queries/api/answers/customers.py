"""A customer as they see themselves, and with what they have bought as the staff sees them."""

from __future__ import annotations

from typing import Any

from queries.money import money
from queries.reading import Stored

_FIELDS = ("version", "number", "email", "name", "country", "has_login", "is_staff", "registered_at", "updated_at")


def customer_profile(document: Stored) -> dict[str, Any]:
    """Without the sales: what the customer sees."""
    section = document["customer"]
    return {"id": document["_id"], **{name: section.get(name) for name in _FIELDS}}


def customer_for_staff(document: Stored) -> dict[str, Any]:
    """The profile with ``sales``: per currency what was bought, what came back and the difference."""
    sales = document.get("sales") or {}
    gross, returned = sales.get("gross") or {}, sales.get("returned") or {}
    currencies = sorted({*gross, *returned})
    return {
        **customer_profile(document),
        "sales": {
            "orders": sales.get("orders") or 0,
            "gross": [money(gross.get(code, 0), code) for code in currencies],
            "returned": [money(returned.get(code, 0), code) for code in currencies],
            "net": [money(gross.get(code, 0) - returned.get(code, 0), code) for code in currencies],
            "first_order_at": sales.get("first_order_at"),
            "last_order_at": sales.get("last_order_at"),
        },
    }
