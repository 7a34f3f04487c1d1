"""Products and categories."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from queries.api.serializers.common import CategoryLink, MoneyShape
from queries.search.products import STATUSES


class VariantSummary(serializers.Serializer):
    id = serializers.UUIDField()
    sku = serializers.CharField()
    name = serializers.CharField()
    price = MoneyShape(allow_null=True)
    in_stock = serializers.BooleanField()
    available = serializers.IntegerField()


class VariantDetail(VariantSummary):
    prices = MoneyShape(many=True)


class ProductSummary(serializers.Serializer):
    id = serializers.UUIDField()
    version = serializers.IntegerField()
    name = serializers.CharField()
    slug = serializers.CharField()
    brand = serializers.CharField(allow_null=True)
    category = CategoryLink(allow_null=True)
    status = serializers.ChoiceField(STATUSES)
    price_min = MoneyShape(allow_null=True)
    price_max = MoneyShape(allow_null=True)
    in_stock = serializers.BooleanField()
    available = serializers.IntegerField(help_text="Pieces of all variants that can be bought.")
    variants = VariantSummary(many=True)
    created_at = serializers.DateTimeField(allow_null=True)
    updated_at = serializers.DateTimeField(allow_null=True)


class ProductDetail(ProductSummary):
    description = serializers.CharField()
    category_path = CategoryLink(many=True, help_text="From the top down to the product's category.")
    variants = VariantDetail(many=True)


@extend_schema_field({"type": "array", "items": {"$ref": "#/components/schemas/CategoryNode"}})
class Children(serializers.ListField):
    """Nodes of the same shape, to any depth."""


class CategoryNode(CategoryLink):
    version = serializers.IntegerField()
    parent_id = serializers.UUIDField(allow_null=True)
    children = Children()


@extend_schema_serializer(many=False)
class CategoryTree(serializers.Serializer):
    results = CategoryNode(many=True)


class CategoryDetail(CategoryLink):
    version = serializers.IntegerField()
    parent_id = serializers.UUIDField(allow_null=True)
    path = CategoryLink(many=True)
    children = CategoryLink(many=True)
    updated_at = serializers.DateTimeField(allow_null=True)
