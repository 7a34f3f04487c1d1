"""Put a product into a category, or into none."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.catalog import ProductCategorised
from acme.identity import Actor, Role
from commands.catalog.lifecycle import lock_product
from commands.catalog.references import check_category
from commands.handling import Done, requires
from commands.outbox.record import record


@dataclass(frozen=True, kw_only=True)
class CategoriseProduct:
    """``category_id`` None: into none."""

    product_id: UUID
    category_id: UUID | None
    expected_version: int | None = None


@requires(Role.STAFF)
def categorise_product(command: CategoriseProduct, *, actor: Actor, now: datetime) -> Done:
    """Raises `NotFound`, `StaleVersion`, `Invalid` (unknown category), `Conflict` ``wrong-state``."""
    product = lock_product(command.product_id, command.expected_version)
    old_category_id = product.category_id
    if command.category_id == old_category_id:
        return Done(id=product.id, version=product.version, changed=False)
    check_category(command.category_id, pointer="/category_id")
    product.category_id = command.category_id
    event = ProductCategorised(product_id=product.id, category_id=command.category_id, old_category_id=old_category_id)
    record(product, event, actor=actor, now=now)
    product.save()
    return Done(id=product.id, version=product.version)
