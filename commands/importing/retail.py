"""One line of an Online Retail file: a sale, a return, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from acme.errors import Invalid
from acme.http.fields import has_control_characters
from commands.catalog.create_product import PRODUCT_NAME_LENGTH
from commands.catalog.prices import MOST_MINOR
from commands.catalog.sku import check_sku
from commands.customers.import_customer import NUMBER_LENGTH as CUSTOMER_NUMBER_LENGTH
from commands.importing.rejects import Refused
from commands.importing.values import (
    MOST_PIECES,
    country,
    decimal_number,
    moment,
    printable_line,
    rounded_minor,
    whole_number,
)
from commands.orders.imported import NUMBER_LENGTH

CURRENCY = "GBP"
COLUMNS = ("InvoiceNo", "StockCode", "Description", "Quantity", "InvoiceDate", "UnitPrice", "CustomerID", "Country")


@dataclass(frozen=True, kw_only=True, slots=True)
class RetailLine:
    """A line that counts. ``quantity`` and ``amount_minor`` are positive for returns too: what came back."""

    invoice: str
    sku: str
    description: str
    quantity: int
    unit_minor: int
    amount_minor: int
    at: datetime
    customer: str | None
    country: str | None


def is_return(invoice: str) -> bool:
    """Whether an invoice number is that of a return."""
    return invoice.startswith("C")


def parse_line(row: Mapping[str, str]) -> RetailLine:
    """A row by column name. Raises `Refused` for what is neither a sale nor a return."""
    invoice = row["InvoiceNo"].strip()
    _check_invoice(invoice)
    quantity = whole_number(row["Quantity"], "Quantity")
    price = decimal_number(row["UnitPrice"], "UnitPrice")
    if is_return(invoice) and quantity >= 0:
        raise Refused("a return needs a negative Quantity")
    if not is_return(invoice) and quantity <= 0:
        raise Refused("a sale needs a positive Quantity")
    if price <= 0:
        raise Refused("UnitPrice is not positive")
    pieces = abs(quantity)
    unit_minor = rounded_minor(price, CURRENCY)
    amount_minor = rounded_minor(price, CURRENCY, times=pieces)
    if pieces > MOST_PIECES or max(unit_minor, amount_minor) > MOST_MINOR:
        raise Refused("Quantity or amount is too large")
    return RetailLine(
        invoice=invoice,
        sku=_sku(row["StockCode"]),
        description=printable_line(row["Description"], PRODUCT_NAME_LENGTH),
        quantity=pieces,
        unit_minor=unit_minor,
        amount_minor=amount_minor,
        at=moment(row["InvoiceDate"], "InvoiceDate"),
        customer=_customer(row["CustomerID"]),
        country=country(row["Country"]),
    )


def _check_invoice(invoice: str) -> None:
    if not invoice:
        raise Refused("InvoiceNo is missing")
    if invoice[0] not in "0123456789C":
        raise Refused("InvoiceNo starts neither with a digit (a sale) nor with C (a return)")
    if len(invoice) > NUMBER_LENGTH or has_control_characters(invoice):
        raise Refused(f"InvoiceNo has more than {NUMBER_LENGTH} characters, or unprintable ones")


def _sku(text: str) -> str:
    sku = text.strip()
    try:
        check_sku(sku)
    except Invalid as error:
        raise Refused(f"StockCode: {error.detail}") from error
    return sku


def _customer(text: str) -> str | None:
    """The number as written; spreadsheets that had gaps in the column write 17850 as 17850.0."""
    number = text.strip()
    if number.endswith(".0") and number[:-2].isascii() and number[:-2].isdigit():
        number = number[:-2]
    if len(number) > CUSTOMER_NUMBER_LENGTH or has_control_characters(number):
        raise Refused(f"CustomerID has more than {CUSTOMER_NUMBER_LENGTH} characters, or unprintable ones")
    return number or None
