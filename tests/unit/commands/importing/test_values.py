"""Numbers, rounding, moments and countries."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.importing.rejects import Refused
from commands.importing.values import country, decimal_number, moment, printable_line, rounded_minor, whole_number


@pytest.mark.parametrize(("text", "value"), [("6", 6), (" -12 ", -12), ("+3", 3), ("6.0", 6), ("-0", 0)])
def test_whole_numbers(text: str, value: int) -> None:
    assert whole_number(text, "Quantity") == value


@pytest.mark.parametrize("text", ["", "1.5", "1e3", "1,000", "٣", "0x1", "nan", "--1", "1" * 31, "1_0"])
def test_what_is_no_whole_number(text: str) -> None:
    with pytest.raises(Refused, match="Quantity"):
        whole_number(text, "Quantity")


@pytest.mark.parametrize("text", ["", "nan", "Infinity", "1e5", "1,5", "£1", ".", "1" * 31, "١.٥", "1_0.0"])
def test_what_is_no_decimal(text: str) -> None:
    with pytest.raises(Refused, match="UnitPrice"):
        decimal_number(text, "UnitPrice")


@pytest.mark.parametrize(
    ("price", "pieces", "minor"),
    [("2.55", 6, 1530), ("0.005", 1, 1), ("0.0049", 1, 0), ("0.001", 3, 0), ("0.0125", 10, 13), ("1.005", 1, 101)],
)
def test_amounts_are_rounded_half_up_once(price: str, pieces: int, minor: int) -> None:
    assert rounded_minor(Decimal(price), "GBP", times=pieces) == minor


def test_currencies_have_their_own_decimals() -> None:
    assert [rounded_minor(Decimal("12.5"), code) for code in ("GBP", "JPY", "KWD")] == [1250, 13, 12500]


@given(st.from_regex(r"[0-9]{1,30}\.[0-9]{1,30}", fullmatch=True), st.integers(1, 2**31 - 1))
def test_rounding_is_exact_for_every_number_that_is_let_through(price: str, pieces: int) -> None:
    exact = Fraction(decimal_number(price, "UnitPrice")) * pieces * 100
    assert rounded_minor(Decimal(price), "GBP", times=pieces) == (exact + Fraction(1, 2)).__floor__()


@pytest.mark.parametrize(
    "text", ["2010-12-01T08:26:00", "2010-12-01 08:26", "12/1/2010 8:26", "2010-12-01T09:26:00+01:00"]
)
def test_moments(text: str) -> None:
    assert moment(text, "InvoiceDate") == datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "2010-13-01T00:00:00", "yesterday", "31/12/2010 8:26", "0001-01-01T00:00:00+14:00"]
)
def test_what_is_no_moment(text: str) -> None:
    with pytest.raises(Refused, match="InvoiceDate"):
        moment(text, "InvoiceDate")


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("United Kingdom", "GB"),
        ("EIRE", "IE"),
        ("RSA", "ZA"),
        ("USA", "US"),
        ("Czech Republic", "CZ"),
        (" france ", "FR"),
        ("Channel Islands", "Channel Islands"),
        ("European Community", "European Community"),
        ("Unspecified", "Unspecified"),
        ("826", "826"),
        ("  ", None),
    ],
)
def test_countries(name: str, code: str | None) -> None:
    assert country(name) == code


@pytest.mark.parametrize("name", ["x" * 61, "a\x07b"])
def test_what_cannot_be_kept_as_a_country(name: str) -> None:
    with pytest.raises(Refused, match="Country"):
        country(name)


def test_descriptions_are_made_fit_and_never_refused() -> None:
    assert printable_line(" WHITE\t\tHANGING\n HEART\x07 \ud800", 300) == "WHITE HANGING HEART"
    assert printable_line("x" * 400, 300) == "x" * 300
