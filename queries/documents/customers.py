"""Customers: their profile, and for the staff what they have bought."""

from __future__ import annotations

from mongoengine import (
    BooleanField,
    DateTimeField,
    Document,
    EmbeddedDocument,
    EmbeddedDocumentField,
    IntField,
    ListField,
    LongField,
    MapField,
    StringField,
)


class CustomerSection(EmbeddedDocument):
    version = IntField(required=True)
    number = StringField()
    email = StringField()
    name = StringField()
    country = StringField()
    has_login = BooleanField()
    is_staff = BooleanField()
    registered_at = DateTimeField()
    updated_at = DateTimeField()


class SalesPart(EmbeddedDocument):
    """Counted from sales (confirmed or imported orders) and imported returns; money per currency in minor units.

    ``first_order_at`` and ``last_order_at`` span all counted orders, cancelled ones too.
    """

    orders = IntField()
    gross = MapField(LongField())
    returned = MapField(LongField())
    first_order_at = DateTimeField()
    last_order_at = DateTimeField()


class CustomerDocument(Document):
    """Key: customer id. ``fences`` and ``late`` are the counters' bookkeeping."""

    projection = "customers"

    id = StringField(primary_key=True)
    customer = EmbeddedDocumentField(CustomerSection)
    sales = EmbeddedDocumentField(SalesPart)
    fences = MapField(LongField())
    late = ListField(StringField())
    late_revision = IntField()

    meta = {
        "auto_create_index": False,
        "indexes": ["customer.email", "customer.number", ("customer.registered_at", "_id")],
    }
