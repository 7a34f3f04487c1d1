"""Invoices of a retail file become past orders and past returns, with the products and customers that they need."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from acme.contracts.base import Money
from acme.contracts.orders import OrderLine
from acme.identity import system
from commands.catalog.create_product import CreateProduct, create_product
from commands.catalog.find import FoundVariant, known_skus
from commands.catalog.variants import NewVariant
from commands.customers.import_customer import ImportCustomer, import_customer, known_customers
from commands.importing.retail import CURRENCY, RetailLine, is_return
from commands.importing.staging import Invoice, Staging
from commands.orders.import_order import ImportOrder, import_orders, known_numbers
from commands.orders.import_return import ImportReturn, import_return, known_return_numbers

SOURCE = "online-retail"
ACTOR = system("import_orders")


@dataclass(kw_only=True)
class Imported:
    """How many of each a run has made, and how many invoices were there already."""

    orders: int = 0
    returns: int = 0
    products: int = 0
    customers: int = 0
    already_there: int = 0

    def add(self, other: Imported) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


def known_invoices(numbers: Iterable[str]) -> set[str]:
    """Those of the numbers that are imported already."""
    numbers = list(numbers)
    return known_numbers(SOURCE, [number for number in numbers if not is_return(number)]) | known_return_numbers(
        SOURCE, [number for number in numbers if is_return(number)]
    )


@dataclass(frozen=True)
class InvoiceWork:
    """The work of one batch in its transaction; what the whole file says of SKUs and customers is in ``staging``."""

    staging: Staging

    def __call__(self, invoices: Sequence[Invoice], now: datetime) -> Imported:
        done = Imported()
        variants = self._variants({line.sku for invoice in invoices for line in invoice.lines}, invoices, now, done)
        customers = self._customers(invoices, now, done)
        orders = [
            ImportOrder(**_members(invoice, variants, customers), placed_at=invoice.at)
            for invoice in invoices
            if not is_return(invoice.number)
        ]
        returns = [
            ImportReturn(**_members(invoice, variants, customers), returned_at=invoice.at)
            for invoice in invoices
            if is_return(invoice.number)
        ]
        done.orders = sum(each.changed for each in import_orders(orders, actor=ACTOR, now=now))
        done.returns = sum(import_return(each, actor=ACTOR, now=now).changed for each in returns)
        done.already_there = len(invoices) - done.orders - done.returns
        return done

    def _variants(
        self, skus: set[str], invoices: Sequence[Invoice], now: datetime, done: Imported
    ) -> dict[str, FoundVariant]:
        """A variant of every SKU; unknown ones become products, in the order of the file."""
        known = known_skus(skus)
        missing = dict.fromkeys(line.sku for invoice in invoices for line in invoice.lines if line.sku not in known)
        for sku in missing:
            first = self.staging.first_seen(sku)
            variant = NewVariant(sku=sku, price=Money(first.unit_minor, CURRENCY))
            create = CreateProduct(name=first.description or sku, variants=(variant,), publish=True)
            create_product(create, actor=ACTOR, now=now)
        done.products += len(missing)
        return known | known_skus(missing) if missing else known

    def _customers(self, invoices: Sequence[Invoice], now: datetime, done: Imported) -> dict[str, UUID]:
        """The id of every customer; unknown ones are imported, in the order of the file."""
        numbers = dict.fromkeys(invoice.customer for invoice in invoices if invoice.customer)
        known = known_customers(numbers)
        for number in numbers:
            if number not in known:
                country, since = self.staging.customer(number)
                command = ImportCustomer(number=number, country=country, since=since)
                known[number] = import_customer(command, actor=ACTOR, now=now).id
                done.customers += 1
        return known


def _members(invoice: Invoice, variants: Mapping[str, FoundVariant], customers: Mapping[str, UUID]) -> dict[str, Any]:
    """What orders and returns have in common."""
    return {
        "source": SOURCE,
        "number": invoice.number,
        "lines": tuple(_order_line(place, line, variants) for place, line in enumerate(invoice.lines, start=1)),
        "currency": CURRENCY,
        "customer_id": customers[invoice.customer] if invoice.customer else None,
        "country": invoice.country,
    }


def _order_line(place: int, line: RetailLine, variants: Mapping[str, FoundVariant]) -> OrderLine:
    variant = variants[line.sku]
    return OrderLine(
        line=place,
        product_id=variant.product_id,
        variant_id=variant.variant_id,
        sku=line.sku,
        name=line.description or variant.name,
        category_id=variant.category_id,
        quantity=line.quantity,
        unit_price=Money(line.unit_minor, CURRENCY),
        amount=Money(line.amount_minor, CURRENCY),
    )
