"""The stock read model."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from acme.contracts.inventory import (
    ReservationReleased,
    StockAdjusted,
    StockEvent,
    StockReceived,
    StockReserved,
    StockShipped,
)
from projections.runtime.projection import Section, on, projection
from queries.documents.stock import StockDocument


@projection(
    "stock",
    version=1,
    document=StockDocument,
    sections=(Section(aggregate="stock_item", path="item", mirrors_state=True),),
)
class Stock:
    """One document per stock item with its levels."""

    @on(StockReceived, StockAdjusted, StockReserved, ReservationReleased, StockShipped)
    def changed(self, item: dict[str, Any], event: StockEvent, at: datetime) -> None:
        item.update(
            product_id=str(event.product_id),
            variant_id=str(event.variant_id),
            sku=event.sku,
            on_hand=event.on_hand,
            reserved=event.reserved,
            available=event.on_hand - event.reserved,
            updated_at=at,
        )
