"""Money as answers show it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acme.money import decimal_text


def money(amount_minor: int, currency: str) -> dict[str, Any]:
    """``{"amount_minor": 1299, "currency": "GBP", "amount": "12.99"}``; negative amounts keep their sign."""
    return {"amount_minor": amount_minor, "currency": currency, "amount": decimal_text(amount_minor, currency)}


def money_of(stored: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The same of a stored ``{"amount_minor", "currency"}``; None of None."""
    return money(stored["amount_minor"], stored["currency"]) if stored else None
