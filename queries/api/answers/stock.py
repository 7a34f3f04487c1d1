"""One stock item: a variant in the warehouse."""

from __future__ import annotations

from typing import Any

from queries.reading import Stored

_FIELDS = ("version", "product_id", "variant_id", "sku", "on_hand", "reserved", "available", "updated_at")


def stock_item(document: Stored) -> dict[str, Any]:
    section = document["item"]
    return {"id": document["_id"], **{name: section.get(name) for name in _FIELDS}}
