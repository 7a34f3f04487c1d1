"""What other slices may ask the catalogue for: variants by SKU or id, and categories, whatever their state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from commands.catalog.models import Category, Variant

NAME_LENGTH = 300  # characters of `FoundVariant.name`, as order and cart lines keep it


@dataclass(frozen=True, kw_only=True)
class FoundVariant:
    """``name`` is the product's name with that of the variant behind it, cut to `NAME_LENGTH`."""

    product_id: UUID
    variant_id: UUID
    sku: str
    name: str
    category_id: UUID | None


@dataclass(frozen=True, kw_only=True)
class FoundCategory:
    id: UUID
    name: str
    slug: str
    parent_id: UUID | None


def known_skus(skus: Iterable[str]) -> dict[str, FoundVariant]:
    """The variants that have these SKUs, by SKU, also of drafts and archived products and removed ones; one query."""
    fields = ("id", "product_id", "sku", "name", "product__name", "product__category_id")
    rows = Variant.objects.filter(sku__in=set(skus)).values_list(*fields)
    return {
        sku: FoundVariant(
            product_id=product_id,
            variant_id=variant_id,
            sku=sku,
            name=full_name(product_name, name),
            category_id=category_id,
        )
        for variant_id, product_id, sku, name, product_name, category_id in rows
    }


def skus_of(variant_ids: Iterable[UUID]) -> dict[UUID, str]:
    """The SKU of each variant that exists; one query."""
    return dict(Variant.objects.filter(id__in=set(variant_ids)).values_list("id", "sku"))


def all_categories() -> list[FoundCategory]:
    """Every category; one query."""
    return [FoundCategory(**row) for row in Category.objects.values("id", "name", "slug", "parent_id")]


def full_name(product_name: str, variant_name: str) -> str:
    """How a variant is called outside of its product's page."""
    return (f"{product_name}, {variant_name}" if variant_name else product_name)[:NAME_LENGTH]
