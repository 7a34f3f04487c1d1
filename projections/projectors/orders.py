"""The orders read model: an order's lines, payments, fulfilments, derived statuses and timeline."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

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
)
from projections.runtime.projection import Section, on, projection
from queries.documents.orders import OrderDocument


@projection(
    "orders",
    version=1,
    document=OrderDocument,
    sections=(Section(aggregate="order", path="order", mirrors_state=True),),
)
class Orders:
    """One document per order, as its customer and the staff see it."""

    @on(OrderPlaced)
    def placed(self, order: dict[str, Any], event: OrderPlaced, at: datetime) -> None:
        personal = event.personal
        _start(order, event, at)
        order.update(
            source="",
            guest_token_hash=event.guest_token_hash,
            cart_id=str(event.cart_id) if event.cart_id else None,
            email=personal.email if personal else None,
            name=personal.name if personal else None,
            status="placed",
            paid_minor=0,
            lines=[_line(line, shipped=0) for line in event.lines],
        )
        _derive(order)

    @on(OrderImported)
    def imported(self, order: dict[str, Any], event: OrderImported, at: datetime) -> None:
        _start(order, event, at)
        order.update(
            source=event.source,
            guest_token_hash=None,
            cart_id=None,
            email=None,
            name=None,
            status="completed",
            paid_minor=event.total.amount_minor,
            lines=[_line(line, shipped=line.quantity) for line in event.lines],
        )
        _derive(order)

    @on(OrderPaymentRecorded)
    def paid(self, order: dict[str, Any], event: OrderPaymentRecorded, at: datetime) -> None:
        order["payments"].append(
            {
                "amount_minor": event.amount.amount_minor,
                "provider": event.provider,
                "reference": event.reference,
                "at": at,
            }
        )
        order["paid_minor"] = event.paid.amount_minor
        _happened(order, event, at)

    @on(OrderConfirmed)
    def confirmed(self, order: dict[str, Any], event: OrderConfirmed, at: datetime) -> None:
        order["status"] = "confirmed"
        _happened(order, event, at)

    @on(OrderCancelled)
    def cancelled(self, order: dict[str, Any], event: OrderCancelled, at: datetime) -> None:
        order["status"] = "cancelled"
        _happened(order, event, at, note=event.reason)

    @on(FulfilmentShipped)
    def shipped(self, order: dict[str, Any], event: FulfilmentShipped, at: datetime) -> None:
        order["fulfilments"].append(
            {
                "id": str(event.fulfilment_id),
                "tracking": event.tracking,
                "lines": msgspec.to_builtins(event.lines),
                "at": at,
            }
        )
        lines = {line["line"]: line for line in order["lines"]}
        for part in event.lines:
            lines[part.line]["shipped"] += part.quantity
        _happened(order, event, at)

    @on(OrderCompleted)
    def completed(self, order: dict[str, Any], event: OrderCompleted, at: datetime) -> None:
        order["status"] = "completed"
        _happened(order, event, at)


def _start(order: dict[str, Any], event: OrderSale, at: datetime) -> None:
    order.update(
        number=event.number,
        customer_id=str(event.customer_id) if event.customer_id else None,
        country=event.country,
        currency=event.total.currency,
        total_minor=event.total.amount_minor,
        placed_at=event.placed_at,
        payments=[],
        fulfilments=[],
        timeline=[{"event": type(event).__name__, "at": at, "note": ""}],
        updated_at=at,
    )


def _line(line: OrderLine, *, shipped: int) -> dict[str, Any]:
    return {**msgspec.to_builtins(line), "shipped": shipped}


def _happened(order: dict[str, Any], event: Any, at: datetime, *, note: str = "") -> None:
    order["timeline"].append({"event": type(event).__name__, "at": at, "note": note})
    order["updated_at"] = at
    _derive(order)


def _derive(order: dict[str, Any]) -> None:
    """Payment and fulfilment status from amounts and quantities (domain.md, state machines)."""
    paid, total = order["paid_minor"], order["total_minor"]
    order["payment_status"] = "full" if paid >= total else "partial" if paid else "none"
    shipped, ordered = (sum(line[what] for line in order["lines"]) for what in ("shipped", "quantity"))
    order["fulfilment_status"] = "fulfilled" if shipped >= ordered else "partial" if shipped else "unfulfilled"
