"""Add a variant, with its price, to a product."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.base import Money
from acme.identity import Actor, Role
from commands.catalog.lifecycle import lock_product
from commands.catalog.variants import NewVariant, add_variants, check_new_variants
from commands.handling import Done, requires


@dataclass(frozen=True, kw_only=True)
class AddVariant:
    """``name`` tells it from the product's other variants."""

    product_id: UUID
    sku: str
    name: str = ""
    price: Money | None = None
    expected_version: int | None = None


@requires(Role.STAFF)
def add_variant(command: AddVariant, *, actor: Actor, now: datetime) -> Done:
    """Raises `NotFound`, `StaleVersion`, `Invalid`, `Conflict` ``sku-taken``, ``wrong-state``.

    Result: ``variant_id``.
    """
    product = lock_product(command.product_id, command.expected_version)
    new = [NewVariant(sku=command.sku, name=command.name, price=command.price)]
    check_new_variants(new, pointers=[""])
    (variant,) = add_variants(product, new, pointers=[""], actor=actor, now=now)
    product.save()
    return Done(id=product.id, version=product.version, result={"variant_id": str(variant.id)})
