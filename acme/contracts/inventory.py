"""Events of the stock: one stock item per variant (one warehouse); each carries the levels after and before it."""

from __future__ import annotations

from uuid import UUID

from acme.contracts.base import Event, event


class StockEvent(Event, frozen=True, kw_only=True):
    """What all stock events say. ``available`` is ``on_hand - reserved``; quantities are pieces."""

    stock_item_id: UUID
    product_id: UUID
    variant_id: UUID
    sku: str
    on_hand: int
    reserved: int
    old_on_hand: int
    old_reserved: int


@event("stock_item", id_field="stock_item_id")
class StockReceived(StockEvent, frozen=True, kw_only=True):
    quantity: int
    reference: str


@event("stock_item", id_field="stock_item_id")
class StockAdjusted(StockEvent, frozen=True, kw_only=True):
    """A correction after a count, loss or find; the change may be negative."""

    quantity_change: int
    reason: str


@event("stock_item", id_field="stock_item_id")
class StockReserved(StockEvent, frozen=True, kw_only=True):
    quantity: int
    order_id: UUID


@event("stock_item", id_field="stock_item_id")
class ReservationReleased(StockEvent, frozen=True, kw_only=True):
    quantity: int
    order_id: UUID


@event("stock_item", id_field="stock_item_id")
class StockShipped(StockEvent, frozen=True, kw_only=True):
    """Reserved pieces left the warehouse."""

    quantity: int
    order_id: UUID
