"""Shapes of the catalogue's request bodies and answers."""

from __future__ import annotations

from rest_framework import serializers

from acme.http.fields import Boolean, Identifier, MoneyField, StrictSerializer, Text
from commands.catalog.create_category import CATEGORY_NAME_LENGTH
from commands.catalog.create_product import BRAND_LENGTH, PRODUCT_NAME_LENGTH
from commands.catalog.sku import SKU_LENGTH
from commands.catalog.variants import VARIANT_NAME_LENGTH
from commands.catalog.wording import DESCRIPTION_LENGTH

SLUG_LENGTH = 320
MOST_VARIANTS = 200  # of one product at its creation


def _sku() -> Text:
    # Not trimmed: a SKU with blanks around it is a mistake that the sender should learn of.
    return Text(max_length=SKU_LENGTH, trim_whitespace=False)


class NoMembers(StrictSerializer):
    """{}"""


class CreateCategoryBody(StrictSerializer):
    name = Text(max_length=CATEGORY_NAME_LENGTH)
    slug = Text(max_length=SLUG_LENGTH, required=False, help_text="Derived from the name when missing.")
    parent_id = Identifier(required=False, allow_null=True)


class ChangeCategoryBody(StrictSerializer):
    name = Text(max_length=CATEGORY_NAME_LENGTH, required=False)
    slug = Text(max_length=SLUG_LENGTH, required=False)


class MoveCategoryBody(StrictSerializer):
    parent_id = Identifier(allow_null=True, help_text="null: to the top of the tree.")


class NewVariantBody(StrictSerializer):
    sku = _sku()
    name = Text(max_length=VARIANT_NAME_LENGTH, required=False, default="", allow_blank=True)
    price = MoneyField()


class CreateProductBody(StrictSerializer):
    name = Text(max_length=PRODUCT_NAME_LENGTH)
    slug = Text(max_length=SLUG_LENGTH, required=False, help_text="Derived from the name when missing.")
    description = Text(max_length=DESCRIPTION_LENGTH, multiline=True, required=False, default="", allow_blank=True)
    brand = Text(max_length=BRAND_LENGTH, required=False, allow_null=True, allow_blank=True)
    category_id = Identifier(required=False, allow_null=True)
    variants = NewVariantBody(many=True, required=False, max_length=MOST_VARIANTS)
    publish = Boolean(required=False, default=False)


class ChangeProductBody(StrictSerializer):
    name = Text(max_length=PRODUCT_NAME_LENGTH, required=False)
    slug = Text(max_length=SLUG_LENGTH, required=False)
    description = Text(max_length=DESCRIPTION_LENGTH, multiline=True, required=False, allow_blank=True)
    brand = Text(max_length=BRAND_LENGTH, required=False, allow_null=True, allow_blank=True)


class CategoriseBody(StrictSerializer):
    category_id = Identifier(allow_null=True, help_text="null: into no category.")


class SkuBody(StrictSerializer):
    sku = _sku()


class SetPriceBody(StrictSerializer):
    sku = _sku()
    price = MoneyField()


class CategoryCreatedAnswer(serializers.Serializer):
    slug = serializers.CharField()


class CreatedVariant(serializers.Serializer):
    variant_id = serializers.UUIDField()
    sku = serializers.CharField()


class ProductCreatedAnswer(serializers.Serializer):
    slug = serializers.CharField()
    variants = CreatedVariant(many=True)


class VariantAddedAnswer(serializers.Serializer):
    variant_id = serializers.UUIDField()
