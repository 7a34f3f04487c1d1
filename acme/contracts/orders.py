"""Events of orders, and of returns that were imported from another system.

A sale counts when an order is confirmed (or imported), on the day it was placed; cancelling a confirmed order takes
the sale away again. Those events therefore carry the lines once more: a projector never has to look anything up.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import msgspec

from acme.contracts.base import Event, Money, event


class OrderLine(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot of what was bought. ``amount`` is authoritative: quantity × exact unit price rounded half up to the
    minor unit; ``unit_price`` is itself rounded for display (imported prices may have more decimals)."""

    line: int
    product_id: UUID
    variant_id: UUID
    sku: str
    name: str
    category_id: UUID | None
    quantity: int
    unit_price: Money
    amount: Money


class ShippedLine(msgspec.Struct, frozen=True, kw_only=True):
    line: int
    sku: str
    quantity: int


class OrderPersonal(msgspec.Struct, frozen=True, kw_only=True):
    email: str | None = None
    name: str | None = None


class OrderSale(Event, frozen=True, kw_only=True):
    """What an event says that adds or takes away a sale. ``country``: ISO 3166 code, a name, or None if not known."""

    order_id: UUID
    number: str
    customer_id: UUID | None
    country: str | None
    placed_at: datetime
    lines: list[OrderLine]
    total: Money


@event("order", id_field="order_id")
class OrderPlaced(OrderSale, frozen=True, kw_only=True):
    cart_id: UUID | None
    guest_token_hash: str | None
    personal: OrderPersonal | None = None

    def data_subject(self) -> str:
        return f"customer:{self.customer_id}" if self.customer_id else f"order:{self.order_id}"


@event("order", id_field="order_id")
class OrderPaymentRecorded(Event, frozen=True, kw_only=True):
    """Money taken by a provider; ``paid`` is the sum so far."""

    order_id: UUID
    amount: Money
    paid: Money
    old_paid: Money
    provider: str
    reference: str


@event("order", id_field="order_id")
class OrderConfirmed(OrderSale, frozen=True, kw_only=True):
    """Fully paid."""


@event("order", id_field="order_id")
class OrderCancelled(OrderSale, frozen=True, kw_only=True):
    """``was_confirmed`` says whether a sale had been counted."""

    reason: str
    was_confirmed: bool


@event("order", id_field="order_id")
class FulfilmentShipped(Event, frozen=True, kw_only=True):
    order_id: UUID
    fulfilment_id: UUID
    lines: list[ShippedLine]
    tracking: str


@event("order", id_field="order_id")
class OrderCompleted(Event, frozen=True, kw_only=True):
    order_id: UUID


@event("order", id_field="order_id")
class OrderImported(OrderSale, frozen=True, kw_only=True):
    """A past order of another system, paid and completed; it takes no stock."""

    source: str


@event("past_return", id_field="return_id")
class PastReturnImported(Event, frozen=True, kw_only=True):
    """A past return of another system; quantities and amounts are positive: what came back."""

    return_id: UUID
    number: str
    source: str
    customer_id: UUID | None
    country: str | None
    returned_at: datetime
    lines: list[OrderLine]
    total: Money
