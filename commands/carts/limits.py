"""How much a cart holds; orders are placed within the same limits."""

from __future__ import annotations

from acme.errors import Invalid

MAX_LINES = 100
MAX_QUANTITY = 9_999  # pieces per line


def check_quantity(quantity: int, *, pointer: str = "/quantity") -> None:
    """Raises `Invalid` unless it is a number of pieces that a line may have."""
    if not 1 <= quantity <= MAX_QUANTITY:
        raise Invalid(f"a line has 1 to {MAX_QUANTITY} pieces, not {quantity}", code="out-of-range", pointer=pointer)
