"""Take a product back to a draft: shoppers no longer see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.catalog import ProductUnpublished
from acme.identity import Actor, Role
from commands.catalog.lifecycle import Status, change_status
from commands.catalog.models import Product
from commands.handling import Done, lock, requires
from commands.outbox.record import record


@dataclass(frozen=True, kw_only=True)
class UnpublishProduct:
    product_id: UUID
    expected_version: int | None = None


@requires(Role.STAFF)
def unpublish_product(command: UnpublishProduct, *, actor: Actor, now: datetime) -> Done:
    """Raises `NotFound`, `StaleVersion`, `Conflict` ``wrong-state``."""
    product = lock(Product, id=command.product_id, expected_version=command.expected_version)
    changed = change_status(product, Status.DRAFT)
    if changed:
        record(product, ProductUnpublished(product_id=product.id), actor=actor, now=now)
        product.save()
    return Done(id=product.id, version=product.version, changed=changed)
