"""The stock list: one document per stock item (variant in the one warehouse)."""

from __future__ import annotations

from mongoengine import DateTimeField, Document, EmbeddedDocument, EmbeddedDocumentField, IntField, StringField


class StockItemSection(EmbeddedDocument):
    version = IntField(required=True)
    product_id = StringField()
    variant_id = StringField()
    sku = StringField()
    on_hand = IntField()
    reserved = IntField()
    available = IntField()
    updated_at = DateTimeField()


class StockDocument(Document):
    """Key: stock item id."""

    projection = "stock"

    id = StringField(primary_key=True)
    item = EmbeddedDocumentField(StockItemSection)

    meta = {"auto_create_index": False, "indexes": [("item.sku", "_id"), ("item.available", "_id")]}
