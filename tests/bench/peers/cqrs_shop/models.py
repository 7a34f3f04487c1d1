"""The cart of P1: created, then changed once."""

import uuid

from dj_cqrs.mixins import MasterMixin, ReplicaMixin
from django.db import models


class CartFields(models.Model):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    customer_id = models.UUIDField(null=True)
    status = models.CharField(max_length=20)
    lines = models.JSONField(default=list)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        abstract = True


class Cart(MasterMixin, CartFields):
    CQRS_ID = "cart"


class CartReplica(ReplicaMixin, CartFields):
    CQRS_ID = "cart"
    CQRS_MAPPING = None
