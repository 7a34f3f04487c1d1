"""Orders as their customers and the staff see them, with the full timeline."""

from __future__ import annotations

from mongoengine import (
    DateTimeField,
    DictField,
    Document,
    EmbeddedDocument,
    EmbeddedDocumentField,
    EmbeddedDocumentListField,
    IntField,
    ListField,
    StringField,
)


class OrderLinePart(EmbeddedDocument):
    line = IntField()
    product_id = StringField()
    variant_id = StringField()
    sku = StringField()
    name = StringField()
    category_id = StringField()
    quantity = IntField()
    shipped = IntField()
    unit_price = DictField()  # {"amount_minor": 1299, "currency": "GBP"}
    amount = DictField()


class OrderSection(EmbeddedDocument):
    """``payment_status``: none, partial, full; ``fulfilment_status``: unfulfilled, partial, fulfilled; both derived."""

    version = IntField(required=True)
    number = StringField(required=True)
    source = StringField()
    customer_id = StringField()
    guest_token_hash = StringField()
    cart_id = StringField()
    email = StringField()
    name = StringField()
    country = StringField()
    status = StringField(choices=("placed", "confirmed", "cancelled", "completed"))
    payment_status = StringField()
    fulfilment_status = StringField()
    currency = StringField()
    total_minor = IntField()
    paid_minor = IntField()
    placed_at = DateTimeField()
    lines = EmbeddedDocumentListField(OrderLinePart)
    payments = ListField(DictField())  # {"amount_minor", "provider", "reference", "at"}
    fulfilments = ListField(DictField())  # {"id", "tracking", "lines": [{"line", "sku", "quantity"}], "at"}
    timeline = ListField(DictField())  # {"event": "OrderPlaced", "at": …}
    updated_at = DateTimeField()


class OrderDocument(Document):
    """Key: order id."""

    projection = "orders"

    id = StringField(primary_key=True)
    order = EmbeddedDocumentField(OrderSection)

    meta = {
        "auto_create_index": False,
        "indexes": [
            ("order.customer_id", "order.placed_at", "_id"),
            ("order.status", "order.placed_at", "_id"),
            ("order.placed_at", "_id"),
            "order.number",
        ],
    }
