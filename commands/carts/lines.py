"""Finding a line of a cart."""

from __future__ import annotations

from acme.errors import NotFound
from commands.carts.models import Cart, CartLine


def line_of(cart: Cart, sku: str) -> CartLine:
    """The cart's line with this SKU. Raises `NotFound` ``not-in-cart``."""
    line = cart.lines.filter(sku=sku).first()
    if line is None:
        raise NotFound(f"{sku} is not in the cart", code="not-in-cart", pointer="/sku")
    return line
