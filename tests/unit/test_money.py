from __future__ import annotations

from decimal import Decimal

import pytest

from acme.money import decimal_text, minor_units


@pytest.mark.parametrize(
    ("minor", "currency", "text"),
    [
        (1299, "GBP", "12.99"),
        (5, "GBP", "0.05"),
        (0, "GBP", "0.00"),
        (-5, "GBP", "-0.05"),
        (-1299, "EUR", "-12.99"),
        (1299, "JPY", "1299"),
        (-7, "JPY", "-7"),
        (1299, "KWD", "1.299"),
        (2**53 - 1, "GBP", "90071992547409.91"),
    ],
)
def test_there_and_back(minor: int, currency: str, text: str) -> None:
    assert decimal_text(minor, currency) == text
    assert minor_units(Decimal(text), currency) == minor


@pytest.mark.parametrize(("amount", "currency"), [("1.001", "GBP"), ("0.5", "JPY"), ("90071992547409.92", "GBP")])
def test_what_is_no_amount(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"decimals|large"):
        minor_units(Decimal(amount), currency)
