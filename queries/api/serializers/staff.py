"""What the staff sees: stock and reports."""

from __future__ import annotations

from rest_framework import serializers

from queries.api.serializers.common import MoneyShape


class StockItem(serializers.Serializer):
    id = serializers.UUIDField()
    version = serializers.IntegerField()
    product_id = serializers.UUIDField(allow_null=True)
    variant_id = serializers.UUIDField(allow_null=True)
    sku = serializers.CharField()
    on_hand = serializers.IntegerField()
    reserved = serializers.IntegerField()
    available = serializers.IntegerField()
    updated_at = serializers.DateTimeField(allow_null=True)


class SalesFigures(serializers.Serializer):
    orders = serializers.IntegerField()
    units = serializers.IntegerField()
    gross = MoneyShape()
    returned_units = serializers.IntegerField()
    returned = MoneyShape()
    net = MoneyShape()


class SalesRow(SalesFigures):
    period = serializers.DateField(help_text="First day of the interval.")
    key = serializers.CharField(allow_null=True, help_text="SKU, category slug or country; null for by=none.")


class SalesReport(serializers.Serializer):
    results = SalesRow(many=True)
    totals = SalesFigures()
    as_of = serializers.DateTimeField(allow_null=True)


class BestSeller(SalesFigures):
    sku = serializers.CharField()
    name = serializers.CharField(allow_null=True)
    product_id = serializers.UUIDField(allow_null=True)
    slug = serializers.CharField(allow_null=True)


class BestSellers(serializers.Serializer):
    results = BestSeller(many=True)
    as_of = serializers.DateTimeField(allow_null=True)
