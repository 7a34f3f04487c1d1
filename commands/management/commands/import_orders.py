"""`manage.py import_orders`: past invoices of the Online Retail file; see `commands.importing.run_orders`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from commands.importing.command import ImportCommand, Start
from commands.importing.run_orders import import_orders_file


class Command(ImportCommand):
    help = "Imports past orders and returns from a UCI Online Retail file; a second run changes nothing."
    batch_help = "invoices per transaction (default 100)"
    epilog = """columns (any order, others are ignored):
  InvoiceNo, StockCode, Description, Quantity, InvoiceDate, UnitPrice, CustomerID, Country

A sale line has an InvoiceNo that starts with a digit, Quantity > 0 and UnitPrice > 0; a return line has one that starts
with C, Quantity < 0 and UnitPrice > 0; every other row is rejected. Amounts are Quantity x UnitPrice in GBP, rounded
half up to the penny. InvoiceDate is ISO 8601 in UTC, or month/day/year hour:minute.

The lines of an invoice may stand anywhere in the file and become one order (or return) at the earliest InvoiceDate,
with the first CustomerID and Country that are given. Unknown StockCodes become published products: named by the first
description of the file, at its first price. An invoice that is there already stays as it is."""

    def run(self, file: Path, rejects: Path, *, batch: int, start: Start, options: dict[str, Any]) -> dict[str, Any]:
        return import_orders_file(file, rejects, batch=batch, start=start)

    def sentence(self, summary: dict[str, Any]) -> str:
        return (
            "{lines} lines: {orders} orders and {returns} returns imported ({invoices_per_second} per second), "
            "{already_there} were there already; {products} products and {customers} customers created"
        ).format(**summary)
