"""Read-model documents as the projectors write them, for tests of the query side alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from queries.search.analysis import terms

START = datetime(2026, 1, 1, 12, tzinfo=UTC)


def new_id() -> str:
    return str(uuid4())


def gbp(amount_minor: int) -> dict[str, Any]:
    return {"amount_minor": amount_minor, "currency": "GBP"}


def category(name: str, *, parent_id: str | None = None, version: int = 1) -> dict[str, Any]:
    section = {"version": version, "name": name, "slug": name.lower(), "parent_id": parent_id, "updated_at": START}
    return {"_id": new_id(), "category": section}


def product(
    name: str,
    *,
    price: int | None = 1299,
    prices: dict[str, int] | None = None,
    pieces: int = 5,
    category_id: str | None = None,
    status: str = "published",
    minutes: int = 0,
    description: str = "",
    sku: str | None = None,
) -> dict[str, Any]:
    """One variant, created some minutes after `START`."""
    at = START + timedelta(minutes=minutes)
    amounts = prices if prices is not None else ({} if price is None else {"GBP": price})
    variant = {"variant_id": new_id(), "sku": sku or name.upper(), "name": "", "prices": amounts}
    section = {
        "version": 3,
        "name": name,
        "slug": name.lower().replace(" ", "-"),
        "description": description,
        "brand": None,
        "category_id": category_id,
        "status": status,
        "variants": [variant],
        "price_min": amounts,
        "price_max": amounts,
        "words": terms([name, variant["sku"], description]),
        "created_at": at,
        "updated_at": at,
    }
    level = {"version": 1, "sku": variant["sku"], "on_hand": pieces, "reserved": 0, "available": pieces}
    return {
        "_id": new_id(),
        "product": section,
        "stock": {variant["variant_id"]: level},
        "available": pieces,
        "in_stock": pieces > 0,
    }


def cart(*lines: dict[str, Any], customer_id: str | None = None, token_hash: str | None = None) -> dict[str, Any]:
    section = {
        "version": 2,
        "customer_id": customer_id,
        "guest_token_hash": token_hash,
        "status": "open",
        "order_id": None,
        "lines": list(lines),
        "created_at": START,
        "updated_at": START,
    }
    return {"_id": new_id(), "cart": section}


def cart_line(of: dict[str, Any], *, quantity: int, unit_price: int) -> dict[str, Any]:
    variant = of["product"]["variants"][0]
    return {
        "product_id": of["_id"],
        "variant_id": variant["variant_id"],
        "sku": variant["sku"],
        "name": of["product"]["name"],
        "quantity": quantity,
        "unit_price": gbp(unit_price),
    }


def order(
    *,
    customer_id: str | None = None,
    token_hash: str | None = None,
    status: str = "placed",
    placed_at: datetime = START,
    number: str = "A-1",
) -> dict[str, Any]:
    line = {
        "line": 1,
        "product_id": new_id(),
        "variant_id": new_id(),
        "sku": "MUG",
        "name": "Mug",
        "category_id": None,
        "quantity": 2,
        "shipped": 0,
        "unit_price": gbp(500),
        "amount": gbp(1000),
    }
    section = {
        "version": 1,
        "number": number,
        "source": "shop",
        "customer_id": customer_id,
        "guest_token_hash": token_hash,
        "cart_id": None,
        "email": "ada@acme.test",
        "name": "Ada",
        "country": "GB",
        "status": status,
        "payment_status": "none",
        "fulfilment_status": "unfulfilled",
        "currency": "GBP",
        "total_minor": 1000,
        "paid_minor": 0,
        "placed_at": placed_at,
        "lines": [line],
        "payments": [{"amount_minor": 400, "provider": "manual", "reference": "r", "at": placed_at}],
        "fulfilments": [
            {"id": new_id(), "tracking": "", "lines": [{"line": 1, "sku": "MUG", "quantity": 1}], "at": placed_at}
        ],
        "timeline": [{"event": "OrderPlaced", "at": placed_at}],
        "updated_at": placed_at,
    }
    return {"_id": new_id(), "order": section}


def customer(name: str, *, customer_id: str | None = None) -> dict[str, Any]:
    section = {
        "version": 1,
        "number": None,
        "email": f"{name.lower()}@acme.test",
        "name": name,
        "country": "GB",
        "has_login": True,
        "is_staff": False,
        "registered_at": START,
        "updated_at": START,
    }
    sales = {"orders": 2, "gross": {"GBP": 5000}, "returned": {"GBP": 700}, "first_order_at": START}
    return {"_id": customer_id or new_id(), "customer": section, "sales": sales}


def stock_item(sku: str, available: int) -> dict[str, Any]:
    section = {
        "version": 4,
        "product_id": new_id(),
        "variant_id": new_id(),
        "sku": sku,
        "on_hand": available + 1,
        "reserved": 1,
        "available": available,
        "updated_at": START,
    }
    return {"_id": new_id(), "item": section}


def sales_day(
    day: str,
    dimension: str = "total",
    key: str | None = None,
    *,
    currency: str = "GBP",
    **counts: int,
) -> dict[str, Any]:
    """``counts``: orders, units, gross, returned_units, returned; 0 where not given."""
    zero = dict.fromkeys(("orders", "units", "gross", "returned_units", "returned"), 0)
    place = {"day": day, "dimension": dimension, "key": key, "currency": currency}
    return {"_id": f"{day}|{dimension}|{key or ''}|{currency}", **place, **zero, **counts}
