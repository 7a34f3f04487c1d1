"""Archive a product for good: nothing about it can be changed afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.catalog import ProductArchived
from acme.identity import Actor, Role
from commands.catalog.lifecycle import Status, change_status
from commands.catalog.models import Product
from commands.handling import Done, lock, requires
from commands.outbox.record import record


@dataclass(frozen=True, kw_only=True)
class ArchiveProduct:
    product_id: UUID
    expected_version: int | None = None


@requires(Role.STAFF)
def archive_product(command: ArchiveProduct, *, actor: Actor, now: datetime) -> Done:
    """Raises `NotFound`, `StaleVersion`, `Conflict` ``wrong-state``."""
    product = lock(Product, id=command.product_id, expected_version=command.expected_version)
    changed = change_status(product, Status.ARCHIVED)
    if changed:
        record(product, ProductArchived(product_id=product.id), actor=actor, now=now)
        product.save()
    return Done(id=product.id, version=product.version, changed=changed)
