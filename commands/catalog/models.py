"""State of the catalogue: categories, products, variants, prices."""

from __future__ import annotations

from django.db import models

from commands.aggregate import Aggregate, new_id


class Category(Aggregate):
    """A node of the category tree."""

    aggregate_type = "category"

    name = models.CharField(max_length=120)
    slug = models.SlugField(max_length=140, unique=True, allow_unicode=True)
    parent = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="children")

    class Meta:
        verbose_name_plural = "categories"

    def __str__(self) -> str:
        return self.name


class Product(Aggregate):
    """What is sold; its variants carry SKU and prices."""

    aggregate_type = "product"

    class Status(models.TextChoices):
        DRAFT = "draft"
        PUBLISHED = "published"
        ARCHIVED = "archived"

    name = models.CharField(max_length=300)
    slug = models.SlugField(max_length=320, unique=True, allow_unicode=True)
    description = models.TextField(blank=True)
    brand = models.CharField(max_length=120, null=True, blank=True)  # null: not known
    category = models.ForeignKey(Category, null=True, blank=True, on_delete=models.PROTECT, related_name="products")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)

    def __str__(self) -> str:
        return self.name


class Variant(models.Model):
    """One sellable form of a product. A removed variant keeps its row: orders and stock refer to it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    product = models.ForeignKey(Product, on_delete=models.PROTECT, related_name="variants")
    sku = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=300, blank=True)
    removed = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.sku


class Price(models.Model):
    """The current price of a variant in one currency, in minor units."""

    variant = models.ForeignKey(Variant, on_delete=models.CASCADE, related_name="prices")
    currency = models.CharField(max_length=3)
    amount_minor = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["variant", "currency"], name="one_price_per_currency")]
