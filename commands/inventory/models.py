"""State of the stock: one item per variant in the one warehouse, its reservations and its ledger."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from commands.aggregate import Aggregate


class StockItem(Aggregate):
    """Pieces of one variant. The constraints are the last word against overselling."""

    aggregate_type = "stock_item"

    product_id = models.UUIDField(db_index=True)
    variant_id = models.UUIDField(unique=True)
    sku = models.CharField(max_length=100, unique=True)
    on_hand = models.IntegerField(default=0)
    reserved = models.IntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(reserved__gte=0), name="stock_reserved_not_negative"),
            models.CheckConstraint(condition=Q(reserved__lte=F("on_hand")), name="stock_no_overselling"),
        ]

    @property
    def available(self) -> int:
        return self.on_hand - self.reserved

    def __str__(self) -> str:
        return self.sku


class Reservation(models.Model):
    """Pieces of an item that are held for an order until they are shipped or released."""

    item = models.ForeignKey(StockItem, on_delete=models.PROTECT, related_name="reservations")
    order_id = models.UUIDField(db_index=True)
    quantity = models.PositiveIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "order_id"], name="one_reservation_per_order")]

    def __str__(self) -> str:
        return f"{self.quantity} for order {self.order_id}"


class StockMovement(models.Model):
    """One line of an item's ledger: what changed, why, and the levels afterwards."""

    item = models.ForeignKey(StockItem, on_delete=models.PROTECT, related_name="movements")
    version = models.PositiveIntegerField()
    kind = models.CharField(max_length=20)
    quantity = models.IntegerField()
    on_hand = models.IntegerField()
    reserved = models.IntegerField()
    note = models.CharField(max_length=200, blank=True)
    occurred_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["item", "version"], name="one_movement_per_version")]

    def __str__(self) -> str:
        return f"{self.kind} {self.quantity:+d}"
