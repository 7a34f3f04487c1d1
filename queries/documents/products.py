"""Products as shoppers list, filter and read them: details and prices from the catalogue, stock from the inventory."""

from __future__ import annotations

from mongoengine import (
    BooleanField,
    DateTimeField,
    Document,
    EmbeddedDocument,
    EmbeddedDocumentField,
    EmbeddedDocumentListField,
    IntField,
    ListField,
    MapField,
    StringField,
)

from acme.env import env


class VariantPart(EmbeddedDocument):
    variant_id = StringField(required=True)
    sku = StringField(required=True)
    name = StringField()
    prices = MapField(IntField())  # currency → minor units


class ProductSection(EmbeddedDocument):
    """What the catalogue says; ``words`` are the analysed terms of name, brand, SKUs and description."""

    version = IntField(required=True)
    name = StringField(required=True)
    slug = StringField(required=True)
    description = StringField()
    brand = StringField()
    category_id = StringField()
    status = StringField(choices=("draft", "published", "archived"))
    variants = EmbeddedDocumentListField(VariantPart)
    price_min = MapField(IntField())  # currency → lowest price of the variants
    price_max = MapField(IntField())
    words = ListField(StringField())
    created_at = DateTimeField()
    updated_at = DateTimeField()


class StockSection(EmbeddedDocument):
    """What the inventory says of one variant; ``available`` is what can still be bought."""

    version = IntField(required=True)
    sku = StringField()
    on_hand = IntField()
    reserved = IntField()
    available = IntField()
    updated_at = DateTimeField()


class ProductDocument(Document):
    """Key: product id. ``available`` and ``in_stock`` are computed by the store across the sections."""

    projection = "products"

    id = StringField(primary_key=True)
    product = EmbeddedDocumentField(ProductSection)
    stock = MapField(EmbeddedDocumentField(StockSection))  # variant id → its stock
    available = IntField()
    in_stock = BooleanField()

    meta = {
        "auto_create_index": False,
        "indexes": [
            "product.slug",
            "product.variants.sku",
            ("product.status", "product.created_at", "_id"),
            ("product.status", "product.name", "_id"),
            ("product.status", f"product.price_min.{env.currency}", "_id"),
            ("product.status", "product.category_id", "product.created_at", "_id"),
            ("product.status", "product.words"),
        ],
    }
