"""Carts with the prices at which lines were added; current prices are looked up in products when a cart is read."""

from __future__ import annotations

from mongoengine import (
    DateTimeField,
    DictField,
    Document,
    EmbeddedDocument,
    EmbeddedDocumentField,
    EmbeddedDocumentListField,
    IntField,
    StringField,
)


class CartLinePart(EmbeddedDocument):
    product_id = StringField()
    variant_id = StringField()
    sku = StringField()
    name = StringField()
    quantity = IntField()
    unit_price = DictField()  # {"amount_minor": 1299, "currency": "GBP"}


class CartSection(EmbeddedDocument):
    version = IntField(required=True)
    customer_id = StringField()
    guest_token_hash = StringField()
    status = StringField(choices=("open", "checked_out"))
    order_id = StringField()
    lines = EmbeddedDocumentListField(CartLinePart)
    created_at = DateTimeField()
    updated_at = DateTimeField()


class CartDocument(Document):
    """Key: cart id."""

    projection = "carts"

    id = StringField(primary_key=True)
    cart = EmbeddedDocumentField(CartSection)

    meta = {"auto_create_index": False, "indexes": [("cart.customer_id", "cart.updated_at")]}
