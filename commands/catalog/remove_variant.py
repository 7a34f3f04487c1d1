"""Take a variant off a product. Its SKU stays taken for ever: orders and stock refer to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.catalog import VariantRemoved
from acme.errors import Conflict
from acme.identity import Actor, Role
from commands.catalog.lifecycle import Status, lock_product
from commands.catalog.variants import has_priced_variant, variant_of
from commands.handling import Done, requires
from commands.outbox.record import record


@dataclass(frozen=True, kw_only=True)
class RemoveVariant:
    product_id: UUID
    sku: str
    expected_version: int | None = None


@requires(Role.STAFF)
def remove_variant(command: RemoveVariant, *, actor: Actor, now: datetime) -> Done:
    """Raises `NotFound`, `StaleVersion`, `Conflict` ``wrong-state``, or ``not-sellable`` when a published product
    would be left without any variant that has a price."""
    product = lock_product(command.product_id, command.expected_version)
    variant = variant_of(product, command.sku)
    if variant.removed:
        return Done(id=product.id, version=product.version, changed=False)
    if product.status == Status.PUBLISHED and not has_priced_variant(product, besides=variant):
        raise Conflict(
            "a published product keeps at least one variant with a price: unpublish it first",
            code="not-sellable",
            pointer="/sku",
        )
    variant.removed = True
    variant.save(update_fields=["removed"])
    event = VariantRemoved(product_id=product.id, variant_id=variant.id, sku=variant.sku)
    record(product, event, actor=actor, now=now)
    product.save()
    return Done(id=product.id, version=product.version)
