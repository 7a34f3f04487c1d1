"""How lag has been: one small document per projection and quarter of a minute, kept for a day.

Written by the Celery task `projections.history.sample`, read by the admin's chart.
"""

from __future__ import annotations

from mongoengine import DateTimeField, Document, FloatField, IntField, StringField


class LagSample(Document):
    """Key: ``projection|slot``, slot: the number of the interval since 1970, so two samplers make one sample.

    ``seconds`` and ``waiting`` (events of all stages) are null when the lag was unknown.
    """

    id = StringField(primary_key=True)
    projection = StringField()
    at = DateTimeField()
    seconds = FloatField()
    waiting = IntField()
    parked = IntField()

    meta = {
        "collection": "projection_lag_history",
        "auto_create_index": False,
        "indexes": [("projection", "at"), {"fields": ["at"], "expireAfterSeconds": 24 * 3600}],
    }
