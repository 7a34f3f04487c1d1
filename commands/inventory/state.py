"""Stock items as the tables have them; see `commands.states`."""

from __future__ import annotations

from typing import Any

from commands.inventory.models import StockItem


def stock_item_state(item: StockItem) -> dict[str, Any]:
    return {
        "product_id": str(item.product_id),
        "variant_id": str(item.variant_id),
        "sku": item.sku,
        "on_hand": item.on_hand,
        "reserved": item.reserved,
        "available": item.available,
    }
