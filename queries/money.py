"""Money as answers show it, and decimal prices of query parameters as minor units."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

#: ISO 4217 currencies whose minor unit is not a hundredth (list one of the standard; pycountry does not carry it).
_BY_DIGITS = {
    0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF",
    3: "BHD IQD JOD KWD LYD OMR TND",
    4: "CLF UYW",
}
_DIGITS = {currency: places for places, currencies in _BY_DIGITS.items() for currency in currencies.split()}
MAX_MINOR = 2**53 - 1  # what every JSON reader holds exactly


def digits(currency: str) -> int:
    """How many decimals an amount of this currency has."""
    return _DIGITS.get(currency, 2)


def money(amount_minor: int, currency: str) -> dict[str, Any]:
    """``{"amount_minor": 1299, "currency": "GBP", "amount": "12.99"}``; negative amounts keep their sign."""
    places = digits(currency)
    if not places:
        return {"amount_minor": amount_minor, "currency": currency, "amount": str(amount_minor)}
    whole, part = divmod(abs(amount_minor), 10**places)
    sign = "-" if amount_minor < 0 else ""
    return {"amount_minor": amount_minor, "currency": currency, "amount": f"{sign}{whole}.{part:0{places}d}"}


def money_of(stored: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The same of a stored ``{"amount_minor", "currency"}``; None of None."""
    return money(stored["amount_minor"], stored["currency"]) if stored else None


def minor_units(amount: Decimal, currency: str) -> int:
    """12.99 GBP → 1299. Raises ValueError, saying why, for too many decimals and for too large a number."""
    scaled = amount.scaleb(digits(currency))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{currency} has {digits(currency)} decimals.")
    if abs(scaled) > MAX_MINOR:
        raise ValueError("This is too large.")
    return int(scaled)
