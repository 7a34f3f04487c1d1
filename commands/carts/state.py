"""Carts as the tables have them; see `commands.states`."""

from __future__ import annotations

from typing import Any

from commands.carts.models import Cart
from commands.texts import id_text


def cart_state(cart: Cart) -> dict[str, Any]:
    """Lines in the order in which they were added."""
    lines = [
        {
            "product_id": str(line.product_id),
            "variant_id": str(line.variant_id),
            "sku": line.sku,
            "name": line.name,
            "quantity": line.quantity,
            "unit_price": {"amount_minor": line.unit_price_minor, "currency": line.currency},
        }
        for line in sorted(cart.lines.all(), key=lambda line: line.id)
    ]
    return {
        "customer_id": id_text(cart.customer_id),
        "guest_token_hash": cart.guest_token_hash,
        "status": str(cart.status),
        "order_id": id_text(cart.order_id),
        "lines": lines,
    }
