"""Carts and orders."""

from __future__ import annotations

from rest_framework import serializers

from queries.api.serializers.common import MoneyShape

CART_STATUSES = ("open", "checked_out")
ORDER_STATUSES = ("placed", "confirmed", "cancelled", "completed")


class CartLine(serializers.Serializer):
    product_id = serializers.UUIDField()
    variant_id = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    quantity = serializers.IntegerField()
    unit_price = MoneyShape(help_text="When it was added.")
    amount = MoneyShape()
    current_unit_price = MoneyShape(allow_null=True, help_text="Now; null when it is no longer offered.")
    current_amount = MoneyShape(allow_null=True)
    available = serializers.IntegerField()
    can_be_bought = serializers.BooleanField(help_text="Whether the whole quantity is available.")


class CartDetail(serializers.Serializer):
    id = serializers.UUIDField()
    version = serializers.IntegerField()
    status = serializers.ChoiceField(CART_STATUSES)
    customer_id = serializers.UUIDField(allow_null=True)
    order_id = serializers.UUIDField(allow_null=True)
    lines = CartLine(many=True)
    quantity = serializers.IntegerField(help_text="Pieces of all lines.")
    total = MoneyShape(allow_null=True, help_text="At the prices when added; null for an empty cart.")
    current_total = MoneyShape(allow_null=True, help_text="At today's prices; null when one is missing.")
    created_at = serializers.DateTimeField(allow_null=True)
    updated_at = serializers.DateTimeField(allow_null=True)


class OrderSummary(serializers.Serializer):
    id = serializers.UUIDField()
    version = serializers.IntegerField()
    number = serializers.CharField()
    customer_id = serializers.UUIDField(allow_null=True)
    email = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    country = serializers.CharField(allow_null=True)
    status = serializers.ChoiceField(ORDER_STATUSES)
    payment_status = serializers.ChoiceField(("none", "partial", "full"), allow_null=True)
    fulfilment_status = serializers.ChoiceField(("unfulfilled", "partial", "fulfilled"), allow_null=True)
    total = MoneyShape()
    paid = MoneyShape()
    placed_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField(allow_null=True)


class OrderLine(serializers.Serializer):
    line = serializers.IntegerField()
    product_id = serializers.UUIDField(allow_null=True)
    variant_id = serializers.UUIDField(allow_null=True)
    sku = serializers.CharField()
    name = serializers.CharField(allow_null=True)
    category_id = serializers.UUIDField(allow_null=True)
    quantity = serializers.IntegerField()
    shipped = serializers.IntegerField()
    unit_price = MoneyShape()
    amount = MoneyShape()


class Payment(serializers.Serializer):
    amount = MoneyShape()
    provider = serializers.CharField(allow_null=True)
    reference = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()


class FulfilmentLine(serializers.Serializer):
    line = serializers.IntegerField()
    sku = serializers.CharField()
    quantity = serializers.IntegerField()


class Fulfilment(serializers.Serializer):
    id = serializers.UUIDField()
    tracking = serializers.CharField()
    lines = FulfilmentLine(many=True)
    at = serializers.DateTimeField()


class TimelineEntry(serializers.Serializer):
    event = serializers.CharField()
    at = serializers.DateTimeField()


class OrderDetail(OrderSummary):
    source = serializers.CharField(allow_null=True)
    cart_id = serializers.UUIDField(allow_null=True)
    lines = OrderLine(many=True)
    payments = Payment(many=True)
    fulfilments = Fulfilment(many=True)
    timeline = TimelineEntry(many=True)
