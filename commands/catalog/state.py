"""Categories and products as the tables have them; see `commands.states`."""

from __future__ import annotations

from typing import Any

from commands.catalog.models import Category, Product
from commands.texts import id_text


def category_state(category: Category) -> dict[str, Any]:
    return {"name": category.name, "slug": category.slug, "parent_id": id_text(category.parent_id)}


def product_state(product: Product) -> dict[str, Any]:
    """Variants in the order in which they were added, without removed ones; prices by currency in minor units."""
    variants = [
        {
            "variant_id": str(variant.id),
            "sku": variant.sku,
            "name": variant.name,
            "prices": {price.currency: price.amount_minor for price in variant.prices.all()},
        }
        for variant in sorted(product.variants.all(), key=lambda variant: variant.id)
        if not variant.removed
    ]
    return {
        "name": product.name,
        "slug": product.slug,
        "description": product.description,
        "brand": product.brand,
        "category_id": id_text(product.category_id),
        "status": str(product.status),
        "variants": variants,
    }
