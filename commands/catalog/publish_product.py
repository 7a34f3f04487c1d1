"""Publish a product: shoppers see it and may buy it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.catalog import ProductPublished
from acme.errors import Conflict
from acme.identity import Actor, Role
from commands.catalog.lifecycle import Status, change_status
from commands.catalog.models import Product
from commands.catalog.variants import has_priced_variant
from commands.handling import Done, lock, requires
from commands.outbox.record import record


@dataclass(frozen=True, kw_only=True)
class PublishProduct:
    product_id: UUID
    expected_version: int | None = None


@requires(Role.STAFF)
def publish_product(command: PublishProduct, *, actor: Actor, now: datetime) -> Done:
    """Raises `NotFound`, `StaleVersion`, `Conflict` ``wrong-state``, ``not-sellable``."""
    product = lock(Product, id=command.product_id, expected_version=command.expected_version)
    changed = publish(product, priced=has_priced_variant(product), actor=actor, now=now)
    if changed:
        product.save()
    return Done(id=product.id, version=product.version, changed=changed)


def publish(product: Product, *, priced: bool, actor: Actor, now: datetime) -> bool:
    """Publishes a locked or new product that the caller saves; False when it is published already.

    ``priced``: whether it has a variant with a price."""
    if not change_status(product, Status.PUBLISHED):
        return False
    if not priced:
        raise Conflict("a product needs a variant with a price to be published", code="not-sellable")
    record(product, ProductPublished(product_id=product.id), actor=actor, now=now)
    return True
