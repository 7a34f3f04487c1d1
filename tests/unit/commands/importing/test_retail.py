"""Which line of a retail file counts, and as what."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.importing.rejects import Refused
from commands.importing.retail import COLUMNS, RetailLine, parse_line
from commands.importing.staging import Staging

ROW = dict(
    zip(COLUMNS, ("536365", "85123A", "HOLDER", "6", "2010-12-01T08:26:00", "2.55", "17850", "France"), strict=True)
)


def test_a_sale() -> None:
    assert parse_line(ROW) == RetailLine(
        invoice="536365",
        sku="85123A",
        description="HOLDER",
        quantity=6,
        unit_minor=255,
        amount_minor=1530,
        at=datetime(2010, 12, 1, 8, 26, tzinfo=UTC),
        customer="17850",
        country="FR",
    )


def test_a_return_has_positive_pieces_and_money() -> None:
    line = parse_line({**ROW, "InvoiceNo": "C536379", "Quantity": "-2", "CustomerID": "", "Country": ""})
    assert (line.invoice, line.quantity, line.amount_minor) == ("C536379", 2, 510)
    assert (line.customer, line.country) == (None, None)


def test_codes_are_trimmed_and_keep_their_case_and_numbers_of_spreadsheets_are_understood() -> None:
    line = parse_line({**ROW, "InvoiceNo": " 536365 ", "StockCode": " 15056bl ", "CustomerID": "17850.0"})
    assert (line.invoice, line.sku, line.customer) == ("536365", "15056bl", "17850")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"InvoiceNo": ""}, "InvoiceNo is missing"),
        ({"InvoiceNo": "A563185"}, "starts neither"),
        ({"InvoiceNo": "c536379"}, "starts neither"),
        ({"InvoiceNo": "٥36365"}, "starts neither"),
        ({"InvoiceNo": "5" * 41}, "more than 40"),
        ({"Quantity": "0"}, "positive Quantity"),
        ({"Quantity": "-1"}, "positive Quantity"),
        ({"Quantity": "1.5"}, "Quantity is not a whole number"),
        ({"Quantity": str(2**31)}, "too large"),
        ({"InvoiceNo": "C1", "Quantity": "1"}, "negative Quantity"),
        ({"InvoiceNo": "C1", "Quantity": "0"}, "negative Quantity"),
        ({"InvoiceNo": "C1", "Quantity": "-1", "UnitPrice": "-1"}, "UnitPrice is not positive"),
        ({"UnitPrice": "0.0"}, "UnitPrice is not positive"),
        ({"UnitPrice": "-11062.06"}, "UnitPrice is not positive"),
        ({"UnitPrice": "free"}, "UnitPrice is not a decimal"),
        ({"UnitPrice": "99999999999"}, "too large"),
        ({"StockCode": " "}, "StockCode"),
        ({"StockCode": "A/B"}, "StockCode"),
        ({"StockCode": "x" * 101}, "StockCode"),
        ({"InvoiceDate": "soon"}, "InvoiceDate"),
        ({"CustomerID": "1" * 41}, "CustomerID"),
        ({"Country": "x" * 61}, "Country"),
    ],
)
def test_everything_else_is_refused_with_a_reason(changes: dict[str, str], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        parse_line({**ROW, **changes})


cells = {
    "InvoiceNo": st.sampled_from(["1", "2", "3x", "C1", "C2", "A1", "", "c1", "X"]),
    "StockCode": st.sampled_from(["A", "a", " B ", "", "C/D", "POST"]),
    "Description": st.sampled_from(["", "THING", "OTHER\x07", "  "]),
    "Quantity": st.integers(-3, 3).map(str) | st.sampled_from(["", "x", "2.5", "2.0"]),
    "InvoiceDate": st.sampled_from(["2010-12-01T08:26:00", "2010-12-02T00:00:00", "12/1/2010 8:26", "", "junk"]),
    "UnitPrice": st.sampled_from(["0", "0.0", "1", "2.55", "0.005", "-1", "", "1e3", "NaN"]),
    "CustomerID": st.sampled_from(["", "17850", "12345.0"]),
    "Country": st.sampled_from(["", "France", "Unspecified"]),
}


def counts(row: dict[str, str]) -> int | None:
    """The issue's own words: the line's pence when it is a sale or a return, written without the code under test."""
    try:
        quantity, price = Decimal(row["Quantity"]), Decimal(row["UnitPrice"])
    except InvalidOperation:
        return None
    number = row["InvoiceNo"]
    sale = number[:1].isdigit() and quantity > 0
    returned = number[:1] == "C" and quantity < 0
    readable = quantity == quantity.to_integral_value() and row["InvoiceDate"] not in {"", "junk"}
    storable = row["StockCode"].strip() not in {"", "C/D"} and row["UnitPrice"] != "1e3" and price.is_finite()
    if not ((sale or returned) and readable and storable and price > 0):
        return None
    return int(abs(quantity) * price * 100 + Decimal("0.5"))


@given(st.lists(st.fixed_dictionaries(cells), max_size=30), st.integers(1, 4))
def test_every_line_is_in_exactly_one_invoice_or_refused_once(rows: list[dict[str, str]], batch: int) -> None:
    refused, kept = [], []
    with Staging() as staging:
        for number, row in enumerate(rows, start=2):
            try:
                staging.add(number, parse_line(row), list(row.values()))
            except Refused:
                refused.append(number)
        invoices = staging.sort()
        for first, last, numbers in staging.batches(batch):
            found = list(staging.invoices(first, last))
            assert [invoice.number for invoice in found] == numbers
            assert len(numbers) <= batch
            kept += found
        originals = [line for invoice in kept for line, _ in staging.original_rows(invoice.number)]
    assert len({invoice.number for invoice in kept}) == len(kept) == invoices
    assert sorted(originals + refused) == list(range(2, len(rows) + 2))
    expected: dict[str, list[int]] = {}
    for row in rows:
        if (pence := counts(row)) is not None:
            expected.setdefault(row["InvoiceNo"], []).append(pence)
    assert {each.number: [line.amount_minor for line in each.lines] for each in kept} == expected
    assert list(expected) == [invoice.number for invoice in kept]
