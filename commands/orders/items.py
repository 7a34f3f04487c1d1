"""From what somebody wants (SKUs and pieces) to priced lines of an order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from acme.contracts.base import Money
from acme.contracts.orders import OrderLine
from acme.errors import Conflict, Invalid
from commands.carts.limits import MAX_LINES, check_quantity
from commands.catalog.quote import Quote, quote


@dataclass(frozen=True, kw_only=True)
class Item:
    """So many pieces of a SKU."""

    sku: str
    quantity: int


def summed(items: Sequence[Item]) -> dict[str, int]:
    """Pieces per SKU in the order of first mention: the same SKU twice is one line with the sum.

    Raises `Invalid` for none, more than 100, or quantities out of range, also of the sum.
    """
    if not 1 <= len(items) <= MAX_LINES:
        raise Invalid(f"an order has 1 to {MAX_LINES} lines, not {len(items)}", code="out-of-range", pointer="/lines")
    wanted: dict[str, int] = {}
    for index, item in enumerate(items):
        pointer = f"/lines/{index}/quantity"
        check_quantity(item.quantity, pointer=pointer)
        wanted[item.sku] = wanted.get(item.sku, 0) + item.quantity
        check_quantity(wanted[item.sku], pointer=pointer)
    return wanted


def pointers_to(items: Sequence[Item]) -> dict[str, str]:
    """SKU → JSON pointer to its first mention in the request."""
    return {item.sku: f"/lines/{index}/sku" for index, item in reversed(list(enumerate(items)))}


def priced(wanted: dict[str, int], currency: str, pointers: Mapping[str, str]) -> list[OrderLine]:
    """The lines at today's prices. Raises `Conflict` ``not-sellable`` naming every SKU that is not for sale."""
    offers = quote(list(wanted), currency)
    refused = [sku for sku in wanted if not _sellable(offers.get(sku))]
    if refused:
        said = f"not for sale in {currency}: {', '.join(refused)}"
        raise Conflict(said, code="not-sellable", pointer=pointers.get(refused[0]))
    return [
        _line(number, offers[sku], quantity, currency) for number, (sku, quantity) in enumerate(wanted.items(), start=1)
    ]


def _sellable(offer: Quote | None) -> bool:
    return offer is not None and offer.sellable and offer.price is not None


def _line(number: int, offer: Quote, quantity: int, currency: str) -> OrderLine:
    unit_price = offer.price or Money(0, currency)
    return OrderLine(
        line=number,
        product_id=offer.product_id,
        variant_id=offer.variant_id,
        sku=offer.sku,
        name=offer.name,
        category_id=offer.category_id,
        quantity=quantity,
        unit_price=unit_price,
        amount=Money(unit_price.amount_minor * quantity, unit_price.currency),
    )
