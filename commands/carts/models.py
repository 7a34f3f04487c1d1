"""State of carts."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from acme.identity import Actor
from commands.aggregate import Aggregate


class Cart(Aggregate):
    """Owned by a customer, or by whoever holds the guest token (only its SHA-256 is kept)."""

    aggregate_type = "cart"

    class Status(models.TextChoices):
        OPEN = "open"
        CHECKED_OUT = "checked_out"

    customer_id = models.UUIDField(null=True, db_index=True)
    guest_token_hash = models.CharField(max_length=64, null=True, unique=True)  # null: not a guest's
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.OPEN)
    order_id = models.UUIDField(null=True, unique=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(customer_id__isnull=False) ^ Q(guest_token_hash__isnull=False), name="cart_has_one_owner"
            )
        ]

    def __str__(self) -> str:
        return str(self.id)

    def is_owned_by(self, actor: Actor) -> bool:
        return actor.owns(self.customer_id, self.guest_token_hash)


class CartLine(models.Model):
    """One SKU in a cart; ``unit_price_minor`` is the price when it was added."""

    cart = models.ForeignKey(Cart, on_delete=models.CASCADE, related_name="lines")
    product_id = models.UUIDField()
    variant_id = models.UUIDField()
    sku = models.CharField(max_length=100)
    name = models.CharField(max_length=300)
    quantity = models.PositiveIntegerField()
    unit_price_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["cart", "variant_id"], name="one_line_per_variant")]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"
