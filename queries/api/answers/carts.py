"""A cart with the prices its lines were added at, and what they cost and whether they can be bought now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from queries.api.answers.products import available
from queries.money import money, money_of
from queries.reading import Stored

#: What of a product a cart needs.
PRODUCT_FIELDS = {"product.status": 1, "product.slug": 1, "product.variants": 1, "stock": 1}


def cart_detail(document: Stored, products: Mapping[str, Stored]) -> dict[str, Any]:
    """``total`` at the prices when added, ``current_total`` now; null when the cart is empty or a price is missing."""
    section = document["cart"]
    lines = [_line(line, products.get(line["product_id"])) for line in section.get("lines") or ()]
    return {
        "id": document["_id"],
        "version": section["version"],
        "status": section["status"],
        "customer_id": section.get("customer_id"),
        "order_id": section.get("order_id"),
        "lines": lines,
        "quantity": sum(line["quantity"] for line in lines),
        "total": _total([line["amount"] for line in lines]),
        "current_total": _total([line["current_amount"] for line in lines]),
        "created_at": section.get("created_at"),
        "updated_at": section.get("updated_at"),
    }


def _line(line: Stored, product: Stored | None) -> dict[str, Any]:
    price, quantity = line["unit_price"], line["quantity"]
    now = _current_price(line, product)
    pieces = available(product, line["variant_id"]) if product and now is not None else 0
    return {
        "product_id": line["product_id"],
        "variant_id": line["variant_id"],
        "sku": line["sku"],
        "name": line.get("name") or "",
        "quantity": quantity,
        "unit_price": money_of(price),
        "amount": money(price["amount_minor"] * quantity, price["currency"]),
        "current_unit_price": None if now is None else money(now, price["currency"]),
        "current_amount": None if now is None else money(now * quantity, price["currency"]),
        "available": pieces,
        "can_be_bought": pieces >= quantity,
    }


def _current_price(line: Stored, product: Stored | None) -> int | None:
    """In minor units of the line's currency; None when the product is no longer offered or has no price in it."""
    section = (product or {}).get("product") or {}
    if section.get("status") != "published":
        return None
    for variant in section.get("variants") or ():
        if variant["variant_id"] == line["variant_id"]:
            amount = (variant.get("prices") or {}).get(line["unit_price"]["currency"])
            return None if amount is None else int(amount)
    return None


def _total(amounts: list[dict[str, Any] | None]) -> dict[str, Any] | None:
    sums: dict[str, int] = defaultdict(int)
    for amount in amounts:
        if amount is None:
            return None
        sums[amount["currency"]] += amount["amount_minor"]
    return money(*reversed(next(iter(sums.items())))) if len(sums) == 1 else None
