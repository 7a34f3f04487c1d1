"""What all state tables of aggregates share: a UUIDv7 and a version that every event raises by one."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from django.db import models
from uuid6 import uuid7


def new_id() -> UUID:
    """A UUIDv7: unique and, roughly, in order of creation, which keeps indexes compact."""
    return UUID(int=uuid7().int)


class Aggregate(models.Model):
    """Base of aggregate roots. Handlers lock the row, check, change, `record` the event and save."""

    aggregate_type: ClassVar[str]

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    version = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(editable=False)

    class Meta:
        abstract = True
