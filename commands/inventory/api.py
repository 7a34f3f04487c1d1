"""REST writes of the stock; all are for staff. Reserving, releasing and shipping are steps of orders."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from acme.http.fields import Integer, StrictSerializer, Text
from acme.http.routes import Route
from acme.identity import Actor
from commands.http import CommandView
from commands.inventory.adjust_stock import REASON_LENGTH, AdjustStock, adjust_stock
from commands.inventory.movements import MOST_MOVED
from commands.inventory.receive_stock import REFERENCE_LENGTH, ReceiveStock, receive_stock


class StockLevels(serializers.Serializer):
    """The item after the command; ``available`` is on hand less reserved."""

    sku = serializers.CharField()
    on_hand = serializers.IntegerField()
    reserved = serializers.IntegerField()
    available = serializers.IntegerField()


class ReceiveStockBody(StrictSerializer):
    quantity = Integer(min_value=1, max_value=MOST_MOVED)
    reference = Text(max_length=REFERENCE_LENGTH, required=False, default="", allow_blank=True)


class ReceiveStockView(CommandView):
    """Receives pieces of a SKU into the warehouse; the first receipt makes the stock item."""

    body = ReceiveStockBody
    result = StockLevels
    handler = staticmethod(receive_stock)
    idempotency_required = True

    def command(self, data: dict[str, Any], *, actor: Actor, expected_version: int | None, sku: str) -> ReceiveStock:
        return ReceiveStock(sku=sku, expected_version=expected_version, **data)


class AdjustStockBody(StrictSerializer):
    quantity_change = Integer(min_value=-MOST_MOVED, max_value=MOST_MOVED, help_text="Pieces more, or fewer.")
    reason = Text(max_length=REASON_LENGTH)


class AdjustStockView(CommandView):
    """Corrects what is on hand after a count, a loss or a find; never below what is reserved."""

    body = AdjustStockBody
    result = StockLevels
    handler = staticmethod(adjust_stock)
    idempotency_required = True

    def command(self, data: dict[str, Any], *, actor: Actor, expected_version: int | None, sku: str) -> AdjustStock:
        return AdjustStock(sku=sku, expected_version=expected_version, **data)


ROUTES = [
    Route("stock/<str:sku>/receive", "POST", ReceiveStockView),
    Route("stock/<str:sku>/adjust", "POST", AdjustStockView),
]
