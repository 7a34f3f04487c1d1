"""What the reports must say, computed from the retail file alone: csv and Decimal, and nothing of the project.

Written from the issue's words: a sale line has an invoice number that starts with a digit, quantity > 0 and price > 0;
its amount is quantity × unit price rounded half up to the penny. A return's invoice starts with C, quantity < 0,
price > 0. An invoice counts on the day of its earliest such line.
"""

from __future__ import annotations

import csv
import lzma
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

#: ISO 3166 by hand, for the names in the file that are countries.
CODES = {
    "Australia": "AU",
    "Austria": "AT",
    "Bahrain": "BH",
    "Belgium": "BE",
    "Cyprus": "CY",
    "Denmark": "DK",
    "EIRE": "IE",
    "Finland": "FI",
    "France": "FR",
    "Germany": "DE",
    "Greece": "GR",
    "Hong Kong": "HK",
    "Iceland": "IS",
    "Israel": "IL",
    "Italy": "IT",
    "Japan": "JP",
    "Lebanon": "LB",
    "Lithuania": "LT",
    "Netherlands": "NL",
    "Norway": "NO",
    "Poland": "PL",
    "Portugal": "PT",
    "Singapore": "SG",
    "Spain": "ES",
    "Sweden": "SE",
    "Switzerland": "CH",
    "United Kingdom": "GB",
}


@dataclass
class Sale:
    """A line that counts, in pieces and pence; ``day`` is that of its whole invoice."""

    invoice: str
    returned: bool
    sku: str
    country: str
    quantity: int
    pence: int
    day: date = date.min


@dataclass
class Figures:
    """One row of a report."""

    orders: set[str] = field(default_factory=set)
    units: int = 0
    gross: int = 0
    returned_units: int = 0
    returned: int = 0

    def add(self, sale: Sale) -> None:
        if sale.returned:
            self.returned_units += sale.quantity
            self.returned += sale.pence
        else:
            self.orders.add(sale.invoice)
            self.units += sale.quantity
            self.gross += sale.pence

    def row(self) -> tuple[int, int, int, int, int, int]:
        """orders, units, gross, returned units, returned, net."""
        net = self.gross - self.returned
        return len(self.orders), self.units, self.gross, self.returned_units, self.returned, net


def sales(path: Path) -> tuple[list[Sale], int]:
    """Every line that counts, and how many do not."""
    found: list[Sale] = []
    days: dict[str, str] = {}
    refused = 0
    with lzma.open(path, "rt", encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            number, quantity, price = row["InvoiceNo"].strip(), int(row["Quantity"]), Decimal(row["UnitPrice"])
            sale = number[0] in "0123456789" and quantity > 0
            returned = number[0] == "C" and quantity < 0
            if price <= 0 or not (sale or returned):
                refused += 1
                continue
            pence = (abs(quantity) * price * 100).quantize(Decimal(1), rounding=ROUND_HALF_UP)
            country = CODES.get(row["Country"], row["Country"])
            found.append(Sale(number, returned, row["StockCode"].strip(), country, abs(quantity), int(pence)))
            days[number] = min(days.get(number, "9"), row["InvoiceDate"])
    for each in found:
        each.day = date.fromisoformat(days[each.invoice][:10])
    return found, refused


PERIODS: dict[str, Callable[[date], date]] = {
    "day": lambda day: day,
    "week": lambda day: day - timedelta(days=day.weekday()),
    "month": lambda day: day.replace(day=1),
}


def report(
    lines: Iterable[Sale], interval: str, key_of: Callable[[Sale], str | None]
) -> dict[tuple[str, str | None], tuple[int, ...]]:
    """(first day of the period, key) → row."""
    groups: dict[tuple[str, str | None], Figures] = defaultdict(Figures)
    for line in lines:
        groups[PERIODS[interval](line.day).isoformat(), key_of(line)].add(line)
    return {place: figures.row() for place, figures in groups.items()}


def totals(lines: Iterable[Sale]) -> tuple[int, ...]:
    figures = Figures()
    for line in lines:
        figures.add(line)
    return figures.row()


def best_sellers(lines: Iterable[Sale], by: str, limit: int) -> list[tuple[str, tuple[int, ...]]]:
    """SKUs with their rows, best first, ties by SKU."""
    groups: dict[str, Figures] = defaultdict(Figures)
    for line in lines:
        groups[line.sku].add(line)
    sold = [(sku, figures) for sku, figures in groups.items() if figures.units]
    sold.sort(key=lambda each: (-getattr(each[1], by), each[0]))
    return [(sku, figures.row()) for sku, figures in sold[:limit]]
