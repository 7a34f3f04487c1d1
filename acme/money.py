"""Amounts as people write them and as the shop keeps them: decimals and integer minor units of ISO 4217 currencies."""

from __future__ import annotations

from decimal import Decimal

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


def decimal_text(amount_minor: int, currency: str) -> str:
    """1299 GBP → "12.99", -5 GBP → "-0.05", 1299 JPY → "1299"."""
    places = digits(currency)
    if not places:
        return str(amount_minor)
    whole, part = divmod(abs(amount_minor), 10**places)
    sign = "-" if amount_minor < 0 else ""
    return f"{sign}{whole}.{part:0{places}d}"


def minor_units(amount: Decimal, currency: str) -> int:
    """12.99 GBP → 1299. Raises ValueError, saying why, for too many decimals and for too large a number."""
    scaled = amount.scaleb(digits(currency))
    if scaled != scaled.to_integral_value():
        raise ValueError(f"{currency} has {digits(currency)} decimals.")
    if abs(scaled) > MAX_MINOR:
        raise ValueError("This is too large.")
    return int(scaled)
