"""State of orders, their lines and fulfilments, and of imported past returns."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from acme.identity import Actor
from commands.aggregate import Aggregate, new_id


class Order(Aggregate):
    """An order. Payment and fulfilment status are derived from amounts and quantities, never set."""

    aggregate_type = "order"

    class Status(models.TextChoices):
        PLACED = "placed"
        CONFIRMED = "confirmed"
        CANCELLED = "cancelled"
        COMPLETED = "completed"

    number = models.CharField(max_length=40)
    source = models.CharField(max_length=40, blank=True)  # the system it was imported from; empty: this shop
    customer_id = models.UUIDField(null=True, db_index=True)
    guest_token_hash = models.CharField(max_length=64, null=True, db_index=True)  # null: not a guest's
    cart_id = models.UUIDField(null=True, unique=True)
    email = models.EmailField(max_length=254, null=True)  # null: not known
    name = models.CharField(max_length=200, null=True)  # null: not known
    country = models.CharField(max_length=60, null=True)  # null: not known
    status = models.CharField(max_length=10, choices=Status.choices)
    currency = models.CharField(max_length=3)
    total_minor = models.PositiveBigIntegerField()
    paid_minor = models.PositiveBigIntegerField(default=0)
    placed_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["source", "number"], name="one_order_per_number"),
            models.CheckConstraint(condition=Q(paid_minor__lte=F("total_minor")), name="order_not_overpaid"),
        ]

    def __str__(self) -> str:
        return self.number

    def is_owned_by(self, actor: Actor) -> bool:
        return actor.owns(self.customer_id, self.guest_token_hash)


class OrderLine(models.Model):
    """A snapshot of what was bought; ``amount_minor`` is authoritative (see acme.contracts.orders.OrderLine)."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="lines")
    line = models.PositiveIntegerField()
    product_id = models.UUIDField()
    variant_id = models.UUIDField()
    sku = models.CharField(max_length=100)
    name = models.CharField(max_length=300)
    category_id = models.UUIDField(null=True)
    quantity = models.PositiveIntegerField()
    shipped = models.PositiveIntegerField(default=0)
    unit_price_minor = models.PositiveBigIntegerField()
    amount_minor = models.PositiveBigIntegerField()

    class Meta:
        ordering = ["line"]
        constraints = [
            models.UniqueConstraint(fields=["order", "line"], name="one_order_line_per_number"),
            models.CheckConstraint(condition=Q(shipped__lte=F("quantity")), name="line_not_overshipped"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"


class OrderPayment(models.Model):
    """Money taken for an order."""

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="payments")
    amount_minor = models.PositiveBigIntegerField()
    provider = models.CharField(max_length=20)
    reference = models.CharField(max_length=100, blank=True)
    taken_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.reference or self.provider


class Fulfilment(models.Model):
    """A parcel: some or all lines of an order that left together."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="fulfilments")
    tracking = models.CharField(max_length=100, blank=True)
    lines = models.JSONField()  # [{"line": 1, "sku": "…", "quantity": 2}, …]
    shipped_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.tracking or str(self.id)


class PastReturn(Aggregate):
    """A return of another system; the order it belongs to is not known."""

    aggregate_type = "past_return"

    number = models.CharField(max_length=40)
    source = models.CharField(max_length=40)
    customer_id = models.UUIDField(null=True, db_index=True)
    country = models.CharField(max_length=60, null=True)  # null: not known
    currency = models.CharField(max_length=3)
    total_minor = models.PositiveBigIntegerField()
    lines = models.JSONField()  # as acme.contracts.orders.OrderLine, JSON
    returned_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "number"], name="one_return_per_number")]

    def __str__(self) -> str:
        return self.number
