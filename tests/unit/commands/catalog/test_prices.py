from __future__ import annotations

import pytest

from acme.contracts.base import Money
from acme.errors import Invalid
from commands.catalog.prices import MOST_MINOR, check_price


@pytest.mark.parametrize("price", [Money(0, "GBP"), Money(MOST_MINOR, "JPY")])
def test_a_price(price: Money) -> None:
    check_price(price)


@pytest.mark.parametrize(
    ("price", "pointer"),
    [
        (Money(-1, "GBP"), "/price/amount_minor"),
        (Money(MOST_MINOR + 1, "GBP"), "/price/amount_minor"),
        (Money(1, "gbp"), "/price/currency"),
        (Money(1, "XYZ"), "/price/currency"),
        (Money(1, ""), "/price/currency"),
    ],
)
def test_not_a_price(price: Money, pointer: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_price(price)
    assert caught.value.pointer == pointer
