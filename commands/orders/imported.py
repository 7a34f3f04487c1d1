"""What imports of past orders and of past returns have in common."""

from __future__ import annotations

from collections.abc import Sequence

from acme.contracts.orders import OrderLine
from acme.errors import Invalid

SOURCE_LENGTH = NUMBER_LENGTH = 40


def check_source(source: str, number: str) -> None:
    """Raises `Invalid` unless both are there and short enough to be kept."""
    for pointer, text, length in (("/source", source, SOURCE_LENGTH), ("/number", number, NUMBER_LENGTH)):
        if not 1 <= len(text) <= length:
            raise Invalid(f"1 to {length} characters", code="out-of-range", pointer=pointer)


def total_of(lines: Sequence[OrderLine], currency: str) -> int:
    """The sum of the lines in minor units. Raises `Invalid` for no lines, no pieces, or another currency."""
    if not lines:
        raise Invalid("there are no lines", code="required", pointer="/lines")
    for index, line in enumerate(lines):
        if line.quantity < 1:
            raise Invalid("at least one piece", code="out-of-range", pointer=f"/lines/{index}/quantity")
        if line.amount.amount_minor < 0 or line.amount.currency != currency:
            raise Invalid(f"not an amount in {currency}", code="wrong-amount", pointer=f"/lines/{index}/amount")
    return sum(line.amount.amount_minor for line in lines)
