"""The sales_by_day read model: counters per day for the total, each product, category and country.

A sale counts when an order is confirmed or imported, on the day it was placed (shop time zone); cancelling a confirmed
order takes it away from that day again. Imported returns count on their own day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from acme.contracts.orders import (
    FulfilmentShipped,
    OrderCancelled,
    OrderCompleted,
    OrderConfirmed,
    OrderImported,
    OrderLine,
    OrderPaymentRecorded,
    OrderPlaced,
    OrderSale,
    PastReturnImported,
)
from acme.env import env
from projections.runtime.projection import Count, counts, from_state, projection
from queries.documents.sales import UNCATEGORISED, UNSPECIFIED, SalesDayDocument

MEASURES = ("orders", "units", "gross", "returned_units", "returned")
_ZONE = ZoneInfo(env.time_zone)


@projection("sales_by_day", version=1, document=SalesDayDocument)
class SalesByDay:
    """One document per day, dimension, key and currency."""

    ignores = (OrderPlaced, OrderPaymentRecorded, FulfilmentShipped, OrderCompleted)

    @counts(OrderConfirmed, OrderImported)
    def sale(self, event: OrderSale, at: datetime) -> Iterator[Count]:
        yield from _sale(event, sign=1)

    @counts(OrderCancelled)
    def sale_taken_away(self, event: OrderCancelled, at: datetime) -> Iterator[Count]:
        if event.was_confirmed:
            yield from _sale(event, sign=-1)

    @counts(PastReturnImported)
    def returned(self, event: PastReturnImported, at: datetime) -> Iterator[Count]:
        for place, (units, amount) in _sums(event.returned_at, event.country, event.lines).items():
            yield _count(place, returned_units=units, returned=amount)

    @from_state("order")
    def of_order(self, order: Mapping[str, Any]) -> Iterator[Count]:
        if order["status"] in {"confirmed", "completed"}:
            names = ("units", "gross")
            yield from _of_lines(order, order["placed_at"], names, once={"orders": 1})

    @from_state("past_return")
    def of_past_return(self, past_return: Mapping[str, Any]) -> Iterator[Count]:
        yield from _of_lines(past_return, past_return["returned_at"], ("returned_units", "returned"), once={})


#: day, dimension, key, currency
Place = tuple[str, str, str | None, str]


def _sale(event: OrderSale, *, sign: int) -> Iterator[Count]:
    for place, (units, amount) in _sums(event.placed_at, event.country, event.lines).items():
        yield _count(place, orders=sign, units=sign * units, gross=sign * amount)


def _sums(moment: datetime, country: str | None, lines: Iterable[OrderLine]) -> dict[Place, tuple[int, int]]:
    """Units and amount of the lines under every key they count for."""
    day = moment.astimezone(_ZONE).date().isoformat()
    sums: dict[Place, tuple[int, int]] = {}
    for line in lines:
        keys = {
            "total": None,
            "product": line.sku,
            "category": str(line.category_id) if line.category_id else UNCATEGORISED,
            "country": country or UNSPECIFIED,
        }
        for dimension, key in keys.items():
            place = (day, dimension, key, line.amount.currency)
            units, amount = sums.get(place, (0, 0))
            sums[place] = (units + line.quantity, amount + line.amount.amount_minor)
    return sums


def _count(place: Place, **amounts: int) -> Count:
    day, dimension, key, currency = place
    return Count(
        document=f"{day}|{dimension}|{key or ''}|{currency}",
        add={**dict.fromkeys(MEASURES, 0), **amounts},
        static={"day": day, "dimension": dimension, "key": key, "currency": currency},
    )


def _of_lines(
    state: Mapping[str, Any], moment: str, names: tuple[str, str], *, once: Mapping[str, int]
) -> Iterator[Count]:
    """Per line of a state table its quantity and amount under these names, and ``once`` for each document."""
    day = datetime.fromisoformat(moment).astimezone(_ZONE).strftime("%Y-%m-%d")
    documents: set[str] = set()
    for line in state["lines"]:
        amount = line["amount"]
        for under in (
            "total|",
            f"product|{line['sku']}",
            f"category|{line['category_id'] or UNCATEGORISED}",
            f"country|{state['country'] or UNSPECIFIED}",
        ):
            document = f"{day}|{under}|{amount['currency']}"
            documents.add(document)
            yield Count(document=document, add={names[0]: line["quantity"], names[1]: amount["amount_minor"]})
    for document in documents:
        yield Count(document=document, add=once)
