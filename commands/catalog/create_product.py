"""Create a product, at once with its variants and prices, in a category, and published if wanted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.catalog import ProductCreated
from acme.identity import Actor, Role
from commands.catalog.models import Product
from commands.catalog.publish_product import publish
from commands.catalog.references import check_category
from commands.catalog.slugs import choose_slug
from commands.catalog.variants import NewVariant, check_new_variants, described, new_variants, save_variants
from commands.catalog.wording import clean_description, clean_line, required_line
from commands.handling import Done, requires
from commands.outbox.record import record

PRODUCT_NAME_LENGTH = 300
BRAND_LENGTH = 120


@dataclass(frozen=True, kw_only=True)
class CreateProduct:
    """Without a slug one is derived from the name."""

    name: str
    slug: str | None = None
    description: str = ""
    brand: str | None = None
    category_id: UUID | None = None
    variants: tuple[NewVariant, ...] = ()
    publish: bool = False


@requires(Role.STAFF)
def create_product(command: CreateProduct, *, actor: Actor, now: datetime) -> Done:
    """Raises `Invalid`, `Conflict` ``slug-taken``, ``sku-taken``, ``not-sellable``. Result: ``slug``, ``variants``."""
    product = _draft(command, now)
    pointers = [f"/variants/{index}" for index in range(len(command.variants))]
    check_new_variants(command.variants, pointers=pointers)
    product.slug = choose_slug(Product, given=command.slug, name=product.name)
    created = ProductCreated(
        product_id=product.id,
        name=product.name,
        slug=product.slug,
        description=product.description,
        brand=product.brand,
        category_id=product.category_id,
    )
    record(product, created, actor=actor, now=now)
    variants, prices = new_variants(product, command.variants, pointers=pointers, actor=actor, now=now)
    if command.publish:
        publish(product, priced=bool(prices), actor=actor, now=now)
    product.save(force_insert=True)
    save_variants(variants, prices)
    result = {"slug": product.slug, "variants": described(variants)}
    return Done(id=product.id, version=product.version, result=result)


def _draft(command: CreateProduct, now: datetime) -> Product:
    check_category(command.category_id, pointer="/category_id")
    return Product(
        name=required_line(command.name, pointer="/name", max_length=PRODUCT_NAME_LENGTH),
        description=clean_description(command.description),
        brand=clean_line(command.brand, pointer="/brand", max_length=BRAND_LENGTH),
        category_id=command.category_id,
        created_at=now,
    )
