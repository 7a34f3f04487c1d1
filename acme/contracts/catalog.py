"""Events of the catalogue: categories (a tree) and products with their variants and prices."""

from __future__ import annotations

from uuid import UUID

from acme.contracts.base import Event, Money, event


@event("category", id_field="category_id")
class CategoryCreated(Event, frozen=True, kw_only=True):
    category_id: UUID
    name: str
    slug: str
    parent_id: UUID | None


@event("category", id_field="category_id")
class CategoryRenamed(Event, frozen=True, kw_only=True):
    category_id: UUID
    name: str
    slug: str
    old_name: str
    old_slug: str


@event("category", id_field="category_id")
class CategoryMoved(Event, frozen=True, kw_only=True):
    category_id: UUID
    parent_id: UUID | None
    old_parent_id: UUID | None


@event("product", id_field="product_id")
class ProductCreated(Event, frozen=True, kw_only=True):
    """A product as a draft: nobody but staff sees it until it is published."""

    product_id: UUID
    name: str
    slug: str
    description: str
    brand: str | None
    category_id: UUID | None


@event("product", id_field="product_id")
class ProductDetailsChanged(Event, frozen=True, kw_only=True):
    """Carries all details, changed or not."""

    product_id: UUID
    name: str
    slug: str
    description: str
    brand: str | None


@event("product", id_field="product_id")
class ProductCategorised(Event, frozen=True, kw_only=True):
    product_id: UUID
    category_id: UUID | None
    old_category_id: UUID | None


@event("product", id_field="product_id")
class VariantAdded(Event, frozen=True, kw_only=True):
    product_id: UUID
    variant_id: UUID
    sku: str
    name: str


@event("product", id_field="product_id")
class VariantRemoved(Event, frozen=True, kw_only=True):
    product_id: UUID
    variant_id: UUID
    sku: str


@event("product", id_field="product_id")
class PriceSet(Event, frozen=True, kw_only=True):
    """One price per variant and currency."""

    product_id: UUID
    variant_id: UUID
    sku: str
    price: Money
    old_price: Money | None


@event("product", id_field="product_id")
class ProductPublished(Event, frozen=True, kw_only=True):
    product_id: UUID


@event("product", id_field="product_id")
class ProductUnpublished(Event, frozen=True, kw_only=True):
    product_id: UUID


@event("product", id_field="product_id")
class ProductArchived(Event, frozen=True, kw_only=True):
    product_id: UUID
