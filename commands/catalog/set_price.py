"""Set a variant's price in one currency; its prices in other currencies stay."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.base import Money
from acme.errors import Conflict
from acme.identity import Actor, Role
from commands.catalog.lifecycle import lock_product
from commands.catalog.models import Price
from commands.catalog.prices import check_price
from commands.catalog.variants import price_set, variant_of
from commands.handling import Done, requires
from commands.outbox.record import record


@dataclass(frozen=True, kw_only=True)
class SetPrice:
    product_id: UUID
    sku: str
    price: Money
    expected_version: int | None = None


@requires(Role.STAFF)
def set_price(command: SetPrice, *, actor: Actor, now: datetime) -> Done:
    """Raises `NotFound`, `StaleVersion`, `Invalid` (price), `Conflict` ``wrong-state``, ``variant-removed``."""
    check_price(command.price)
    product = lock_product(command.product_id, command.expected_version)
    variant = variant_of(product, command.sku)
    if variant.removed:
        raise Conflict(f"the variant {command.sku} is removed", code="variant-removed", pointer="/sku")
    current = Price.objects.filter(variant=variant, currency=command.price.currency).first()
    old = None if current is None else Money(current.amount_minor, current.currency)
    if old == command.price:
        return Done(id=product.id, version=product.version, changed=False)
    row = current or Price(variant=variant, currency=command.price.currency)
    row.amount_minor = command.price.amount_minor
    row.save()
    record(product, price_set(variant, command.price, old=old), actor=actor, now=now)
    product.save()
    return Done(id=product.id, version=product.version)
