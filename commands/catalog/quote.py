"""What carts and orders need to know of SKUs before they sell them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import F, FilteredRelation, Q

from acme.contracts.base import Money
from commands.catalog.find import FoundVariant, full_name
from commands.catalog.models import Product, Variant


@dataclass(frozen=True, kw_only=True)
class Quote(FoundVariant):
    """``price`` is None where the variant has none in the currency; ``sellable`` says nothing about price or stock."""

    price: Money | None
    sellable: bool


def quote(skus: Iterable[str], currency: str) -> dict[str, Quote]:
    """One quote per SKU that exists, also for what cannot be sold now; one query."""
    variants = (
        Variant.objects.filter(sku__in=set(skus))
        .annotate(in_currency=FilteredRelation("prices", condition=Q(prices__currency=currency)))
        .annotate(amount_minor=F("in_currency__amount_minor"))
        .select_related("product")
    )
    return {variant.sku: _quoted(variant, variant.amount_minor, currency) for variant in variants}


def _quoted(variant: Variant, amount_minor: int | None, currency: str) -> Quote:
    product = variant.product
    return Quote(
        product_id=product.id,
        variant_id=variant.id,
        sku=variant.sku,
        name=full_name(product.name, variant.name),
        category_id=product.category_id,
        price=None if amount_minor is None else Money(amount_minor, currency),
        sellable=product.status == Product.Status.PUBLISHED and not variant.removed,
    )
