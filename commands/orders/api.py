"""REST writes of orders. Placing, cancelling and paying need no access token: a guest's token opens a guest's order."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from acme.http.fields import Currency, Email, Identifier, Integer, MoneyField, StrictSerializer, Text
from acme.http.routes import Route
from acme.identity import Actor
from commands.carts.limits import MAX_LINES, MAX_QUANTITY
from commands.catalog.sku import SKU_LENGTH
from commands.http import CommandView
from commands.orders.cancel_order import REASON_LENGTH, CancelOrder, cancel_order
from commands.orders.items import Item
from commands.orders.pay_order import REFERENCE_LENGTH, PayOrder, pay_order
from commands.orders.place_order import PlaceOrder, place_order
from commands.orders.ship_order import TRACKING_LENGTH, ShipOrder, ship_order
from commands.texts import COUNTRY_LENGTH, NAME_LENGTH


class ItemBody(StrictSerializer):
    sku = Text(max_length=SKU_LENGTH)
    quantity = Integer(min_value=1, max_value=MAX_QUANTITY)


class PlaceOrderBody(StrictSerializer):
    """Either ``cart_id`` or ``lines``; the same SKU twice becomes one line."""

    cart_id = Identifier(required=False)
    lines = ItemBody(many=True, required=False, min_length=1, max_length=MAX_LINES)
    currency = Currency(required=False)
    country = Text(max_length=COUNTRY_LENGTH, required=False, allow_null=True, help_text="ISO 3166 code, or a name.")
    email = Email(required=False, allow_null=True)
    name = Text(max_length=NAME_LENGTH, required=False, allow_null=True)


class CancelOrderBody(StrictSerializer):
    reason = Text(max_length=REASON_LENGTH)


class PayOrderBody(StrictSerializer):
    amount = MoneyField()
    reference = Text(max_length=REFERENCE_LENGTH, required=False, allow_blank=True)


class ShipOrderBody(StrictSerializer):
    """Without ``lines``: all that is left."""

    lines = ItemBody(many=True, required=False, min_length=1, max_length=MAX_LINES)
    tracking = Text(max_length=TRACKING_LENGTH, required=False, allow_blank=True)


class MoneyAnswer(serializers.Serializer):
    amount_minor = serializers.IntegerField()
    currency = serializers.CharField()


class OrderAnswer(serializers.Serializer):
    number = serializers.CharField()
    status = serializers.CharField()
    total = MoneyAnswer()


class OrderPlacedAnswer(OrderAnswer):
    token = serializers.CharField(
        required=False, help_text="For guests who order from lines, answered this once: send it as Guest-Token."
    )


class OrderPaidAnswer(OrderAnswer):
    paid = MoneyAnswer()
    payment_status = serializers.CharField()


class OrderShippedAnswer(OrderAnswer):
    fulfilment_id = serializers.UUIDField()
    fulfilment_status = serializers.CharField()


class PlaceOrderView(CommandView):
    """Place an order from a cart or from lines, at today's prices; its stock is held at once."""

    body = PlaceOrderBody
    handler = staticmethod(place_order)
    idempotency_required = True
    creates = True
    public = True
    result = OrderPlacedAnswer

    def command(self, data: dict[str, Any], *, actor: Actor, expected_version: int | None, **path: Any) -> PlaceOrder:
        return PlaceOrder(**{**data, "lines": _items(data.get("lines", ()))})


class CancelOrderView(CommandView):
    """Cancel an order of which nothing has been shipped; its stock is released. For its owner and staff."""

    body = CancelOrderBody
    handler = staticmethod(cancel_order)
    public = True
    result = OrderAnswer

    def command(self, data: dict[str, Any], *, actor: Actor, expected_version: int | None, **path: Any) -> CancelOrder:
        return CancelOrder(order_id=path["id"], expected_version=expected_version, **data)


class PayOrderView(CommandView):
    """Record a payment by the manual provider. Payments add up; full payment confirms the order."""

    body = PayOrderBody
    handler = staticmethod(pay_order)
    idempotency_required = True
    public = True
    result = OrderPaidAnswer

    def command(self, data: dict[str, Any], *, actor: Actor, expected_version: int | None, **path: Any) -> PayOrder:
        return PayOrder(order_id=path["id"], expected_version=expected_version, **data)


class ShipOrderView(CommandView):
    """Ship lines of a confirmed order, or all that is left; the last parcel completes it. For staff."""

    body = ShipOrderBody
    handler = staticmethod(ship_order)
    idempotency_required = True
    result = OrderShippedAnswer

    def command(self, data: dict[str, Any], *, actor: Actor, expected_version: int | None, **path: Any) -> ShipOrder:
        lines = _items(data.pop("lines")) if "lines" in data else None
        return ShipOrder(order_id=path["id"], lines=lines, expected_version=expected_version, **data)


def _items(lines: Any) -> tuple[Item, ...]:
    return tuple(Item(**line) for line in lines)


ROUTES = [
    Route("orders", "POST", PlaceOrderView),
    Route("orders/<uuid:id>/cancel", "POST", CancelOrderView),
    Route("orders/<uuid:id>/pay", "POST", PayOrderView),
    Route("orders/<uuid:id>/ship", "POST", ShipOrderView),
]
