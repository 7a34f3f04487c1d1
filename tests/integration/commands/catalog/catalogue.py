"""Short ways to a catalogue for tests: everything goes through the handlers."""

from __future__ import annotations

from uuid import UUID

from acme.contracts.base import Money
from commands.catalog.create_category import CreateCategory, create_category
from commands.catalog.create_product import CreateProduct, create_product
from commands.catalog.variants import NewVariant
from tests.integration.commands.shop import run


def category(name: str = "Lamps", parent_id: UUID | None = None) -> UUID:
    return run(create_category, CreateCategory(name=name, parent_id=parent_id)).id


def gbp(amount_minor: int) -> Money:
    return Money(amount_minor, "GBP")


def variant(sku: str, pence: int | None = 1299, name: str = "") -> NewVariant:
    return NewVariant(sku=sku, name=name, price=None if pence is None else gbp(pence))


def product(
    name: str = "Desk lamp", *variants: NewVariant, publish: bool = False, category_id: UUID | None = None
) -> UUID:
    """Its id; with one variant ``LAMP-1`` at 12.99 unless variants are given."""
    command = CreateProduct(
        name=name, variants=variants or (variant("LAMP-1"),), publish=publish, category_id=category_id
    )
    return run(create_product, command).id
