"""Change a product's name, slug, description or brand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msgspec import UNSET, UnsetType

from acme.contracts.catalog import ProductDetailsChanged
from acme.identity import Actor, Role
from commands.catalog.create_product import BRAND_LENGTH, PRODUCT_NAME_LENGTH
from commands.catalog.lifecycle import lock_product
from commands.catalog.models import Product
from commands.catalog.slugs import check_slug
from commands.catalog.wording import clean_description, clean_line, required_line
from commands.handling import Done, requires
from commands.outbox.record import record


@dataclass(frozen=True, kw_only=True)
class ChangeProduct:
    """What is UNSET stays as it is; a brand of None takes it away. A new name leaves the slug alone."""

    product_id: UUID
    name: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    description: str | UnsetType = UNSET
    brand: str | UnsetType | None = UNSET
    expected_version: int | None = None


@requires(Role.STAFF)
def change_product(command: ChangeProduct, *, actor: Actor, now: datetime) -> Done:
    """Raises `NotFound`, `StaleVersion`, `Invalid`, `Conflict` ``slug-taken``, ``wrong-state``."""
    product = lock_product(command.product_id, command.expected_version)
    before = _details(product)
    _change(product, command)
    after = _details(product)
    if after == before:
        return Done(id=product.id, version=product.version, changed=False)
    record(product, after, actor=actor, now=now)
    product.save()
    return Done(id=product.id, version=product.version)


def _details(product: Product) -> ProductDetailsChanged:
    return ProductDetailsChanged(
        product_id=product.id,
        name=product.name,
        slug=product.slug,
        description=product.description,
        brand=product.brand,
    )


def _change(product: Product, command: ChangeProduct) -> None:
    if command.name is not UNSET:
        product.name = required_line(command.name, pointer="/name", max_length=PRODUCT_NAME_LENGTH)
    if command.slug is not UNSET and command.slug != product.slug:
        check_slug(Product, command.slug)
        product.slug = command.slug
    if command.description is not UNSET:
        product.description = clean_description(command.description)
    if command.brand is not UNSET:
        product.brand = clean_line(command.brand, pointer="/brand", max_length=BRAND_LENGTH)
