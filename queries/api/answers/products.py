"""A product as shoppers see it, priced in one currency."""

from __future__ import annotations

from typing import Any

from queries.api.answers.categories import category_link
from queries.money import money
from queries.reading import Stored
from queries.tree import Tree


def product_summary(document: Stored, tree: Tree, currency: str) -> dict[str, Any]:
    """One entry of the listing; prices are null where there is none in the currency."""
    section = document["product"]
    stock = document.get("stock") or {}
    category = tree.by_id.get(section.get("category_id") or "")
    return {
        "id": document["_id"],
        "version": section["version"],
        "name": section["name"],
        "slug": section["slug"],
        "brand": section.get("brand"),
        "category": category_link(category) if category else None,
        "status": section["status"],
        "price_min": _price(section.get("price_min"), currency),
        "price_max": _price(section.get("price_max"), currency),
        "in_stock": bool(document.get("in_stock")),
        "available": document.get("available") or 0,
        "variants": [_variant(variant, stock, currency) for variant in section.get("variants") or ()],
        "created_at": section.get("created_at"),
        "updated_at": section.get("updated_at"),
    }


def product_detail(document: Stored, tree: Tree, currency: str) -> dict[str, Any]:
    """The summary with description, the way down to its category, and all prices of each variant."""
    section = document["product"]
    answer = product_summary(document, tree, currency)
    category = tree.by_id.get(section.get("category_id") or "")
    answer["description"] = section.get("description") or ""
    answer["category_path"] = [category_link(node) for node in tree.path(category)] if category else []
    for shown, variant in zip(answer["variants"], section.get("variants") or (), strict=True):
        shown["prices"] = [money(amount, code) for code, amount in sorted((variant.get("prices") or {}).items())]
    return answer


def available(document: Stored, variant_id: str) -> int:
    """How many pieces of a variant can be bought; 0 before the inventory has said anything."""
    return int(((document.get("stock") or {}).get(variant_id) or {}).get("available") or 0)


def _variant(variant: Stored, stock: Stored, currency: str) -> dict[str, Any]:
    pieces = (stock.get(variant["variant_id"]) or {}).get("available") or 0
    return {
        "id": variant["variant_id"],
        "sku": variant["sku"],
        "name": variant.get("name") or "",
        "price": _price(variant.get("prices"), currency),
        "in_stock": pieces > 0,
        "available": pieces,
    }


def _price(prices: dict[str, int] | None, currency: str) -> dict[str, Any] | None:
    amount = (prices or {}).get(currency)
    return None if amount is None else money(amount, currency)
