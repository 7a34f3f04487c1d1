"""Sales by day and dimension: counters from which every sales report and the best sellers are summed."""

from __future__ import annotations

from mongoengine import Document, IntField, ListField, LongField, MapField, StringField

#: ``total`` has no key; ``product`` is keyed by SKU, ``category`` by category id or UNCATEGORISED, ``country`` by
#: ISO 3166 code, name or UNSPECIFIED.
DIMENSIONS = ("total", "product", "category", "country")
UNCATEGORISED = "uncategorised"
UNSPECIFIED = "unspecified"


class SalesDayDocument(Document):
    """Key: ``day|dimension|key|currency``. Money in minor units; ``day`` is YYYY-MM-DD in the shop's time zone.

    ``orders`` counts orders that contain the key; returned pieces and money are positive and never inside ``gross``.
    """

    projection = "sales_by_day"

    id = StringField(primary_key=True)
    day = StringField(required=True)
    dimension = StringField(choices=DIMENSIONS)
    key = StringField()
    currency = StringField()
    orders = IntField()
    units = LongField()
    gross = LongField()
    returned_units = LongField()
    returned = LongField()
    fences = MapField(LongField())
    late = ListField(StringField())
    late_revision = IntField()

    meta = {
        "auto_create_index": False,
        "indexes": [("dimension", "currency", "day"), ("dimension", "currency", "key", "day")],
    }
