"""Minor units to text and back, exactly."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acme.money import MAX_MINOR, digits, minor_units
from queries.money import money, money_of


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [
        (1299, "GBP", "12.99"),
        (5, "EUR", "0.05"),
        (0, "GBP", "0.00"),
        (-5, "GBP", "-0.05"),
        (-1299, "GBP", "-12.99"),
        (1299, "JPY", "1299"),
        (1299, "KWD", "1.299"),
        (10000, "CLF", "1.0000"),
    ],
)
def test_amounts(amount: int, currency: str, text: str) -> None:
    assert money(amount, currency) == {"amount_minor": amount, "currency": currency, "amount": text}
    assert money_of({"amount_minor": amount, "currency": currency}) == money(amount, currency)
    assert money_of(None) is None


@given(st.integers(-MAX_MINOR, MAX_MINOR), st.sampled_from(["GBP", "JPY", "KWD", "CLF"]))
def test_there_and_back(amount: int, currency: str) -> None:
    assert minor_units(Decimal(money(amount, currency)["amount"]), currency) == amount


@pytest.mark.parametrize(
    ("amount", "currency"), [("12.999", "GBP"), ("0.5", "JPY"), ("1e20", "GBP"), ("0.00001", "KWD")]
)
def test_what_is_not_exact_or_too_large(amount: str, currency: str) -> None:
    with pytest.raises(ValueError, match=r"decimals|large"):
        minor_units(Decimal(amount), currency)


def test_trailing_zeros_are_exact() -> None:
    assert minor_units(Decimal("12.500"), "GBP") == 1250
    assert digits("GBP") == 2
