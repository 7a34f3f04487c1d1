"""Adding variants and prices to a product that is locked or new: shared by the commands that do it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from acme.contracts.base import Money
from acme.contracts.catalog import PriceSet, VariantAdded
from acme.errors import Conflict, Invalid, NotFound
from acme.identity import Actor
from commands.catalog.models import Price, Product, Variant
from commands.catalog.prices import check_price
from commands.catalog.sku import check_sku
from commands.catalog.wording import clean_line
from commands.outbox.record import record

VARIANT_NAME_LENGTH = 300


@dataclass(frozen=True, kw_only=True)
class NewVariant:
    """``name`` tells it from the product's other variants ("blue, 42"); a product with one needs none."""

    sku: str
    name: str = ""
    price: Money | None = None


def check_new_variants(variants: Sequence[NewVariant], *, pointers: Sequence[str]) -> None:
    """Raises `Invalid`, or `Conflict` ``sku-taken``; ``pointers`` lead to each variant's members."""
    seen: set[str] = set()
    for variant, pointer in zip(variants, pointers, strict=True):
        check_sku(variant.sku, pointer=f"{pointer}/sku")
        if variant.sku in seen:
            raise Invalid(f"the SKU {variant.sku} is given twice", code="duplicate-sku", pointer=f"{pointer}/sku")
        seen.add(variant.sku)
        if variant.price is not None:
            check_price(variant.price, pointer=f"{pointer}/price")
    taken = set(Variant.objects.filter(sku__in=seen).values_list("sku", flat=True))
    for variant, pointer in zip(variants, pointers, strict=True):
        if variant.sku in taken:
            raise Conflict(f"the SKU {variant.sku} is taken", code="sku-taken", pointer=f"{pointer}/sku")


def add_variants(
    product: Product, variants: Sequence[NewVariant], *, pointers: Sequence[str], actor: Actor, now: datetime
) -> list[Variant]:
    """Records the events and inserts variants and prices that `check_new_variants` has passed."""
    rows, prices = new_variants(product, variants, pointers=pointers, actor=actor, now=now)
    save_variants(rows, prices)
    return rows


def new_variants(
    product: Product, variants: Sequence[NewVariant], *, pointers: Sequence[str], actor: Actor, now: datetime
) -> tuple[list[Variant], list[Price]]:
    """Records the events; variants and prices are for `save_variants`, once the product is in its table."""
    rows, prices = [], []
    for new, pointer in zip(variants, pointers, strict=True):
        name = clean_line(new.name, pointer=f"{pointer}/name", max_length=VARIANT_NAME_LENGTH) or ""
        variant = Variant(product=product, sku=new.sku, name=name)
        rows.append(variant)
        added = VariantAdded(product_id=product.id, variant_id=variant.id, sku=new.sku, name=name)
        record(product, added, actor=actor, now=now)
        if new.price is not None:
            prices.append(Price(variant=variant, currency=new.price.currency, amount_minor=new.price.amount_minor))
            record(product, price_set(variant, new.price, old=None), actor=actor, now=now)
    return rows, prices


def save_variants(rows: Sequence[Variant], prices: Sequence[Price]) -> None:
    """Inserts what `new_variants` answered."""
    Variant.objects.bulk_create(rows)
    Price.objects.bulk_create(prices)


def price_set(variant: Variant, price: Money, *, old: Money | None) -> PriceSet:
    """The event of a variant's new price."""
    return PriceSet(product_id=variant.product_id, variant_id=variant.id, sku=variant.sku, price=price, old_price=old)


def variant_of(product: Product, sku: str) -> Variant:
    """The product's variant with that SKU, removed or not. Raises `NotFound`."""
    variant = Variant.objects.filter(product=product, sku=sku).first()
    if variant is None:
        raise NotFound(f"the product has no variant {sku}", code="unknown-sku", pointer="/sku")
    return variant


def has_priced_variant(product: Product, *, besides: Variant | None = None) -> bool:
    """Whether the product has a variant that is not removed and has a price, other than ``besides``."""
    priced = Variant.objects.filter(product=product, removed=False, prices__isnull=False)
    return (priced if besides is None else priced.exclude(id=besides.id)).exists()


def described(variants: Sequence[Variant]) -> list[dict[str, Any]]:
    """Ids and SKUs for the command's result."""
    return [{"variant_id": str(variant.id), "sku": variant.sku} for variant in variants]
