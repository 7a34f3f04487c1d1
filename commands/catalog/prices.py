"""The rule for prices: not negative, in a currency that exists."""

from __future__ import annotations

import pycountry

from acme.contracts.base import Money
from acme.errors import Invalid

MOST_MINOR = 10**12  # a million of them in one order line still fit PostgreSQL's bigint


def check_price(price: Money, *, pointer: str = "/price") -> None:
    """Raises `Invalid` for an unknown currency, or an amount below 0 or above `MOST_MINOR` minor units."""
    if pycountry.currencies.get(alpha_3=price.currency) is None or not price.currency.isupper():
        raise Invalid("not an ISO 4217 currency code", code="unknown-currency", pointer=f"{pointer}/currency")
    if not 0 <= price.amount_minor <= MOST_MINOR:
        raise Invalid(f"from 0 to {MOST_MINOR} minor units", code="out-of-range", pointer=f"{pointer}/amount_minor")
