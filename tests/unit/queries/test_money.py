"""Money as answers show it, and back from the decimals of a parameter, exactly."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acme.money import MAX_MINOR, minor_units
from queries.money import money, money_of


def test_amounts() -> None:
    assert money(-1299, "GBP") == {"amount_minor": -1299, "currency": "GBP", "amount": "-12.99"}
    assert money_of({"amount_minor": 5, "currency": "JPY"}) == money(5, "JPY")
    assert money_of(None) is None


@given(st.integers(-MAX_MINOR, MAX_MINOR), st.sampled_from(["GBP", "JPY", "KWD", "CLF"]))
def test_there_and_back(amount: int, currency: str) -> None:
    assert minor_units(Decimal(money(amount, currency)["amount"]), currency) == amount


@pytest.mark.parametrize("amount", ["12.999", "1e20"])
def test_what_is_not_exact_or_too_large(amount: str) -> None:
    with pytest.raises(ValueError, match=r"decimals|large"):
        minor_units(Decimal(amount), "GBP")
