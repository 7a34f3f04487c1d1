"""Finding and locking stock items."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from acme.errors import NotFound
from commands.catalog.find import known_skus
from commands.handling import lock
from commands.inventory.models import StockItem


def lock_or_create(sku: str, *, expected_version: int | None, now: datetime) -> StockItem:
    """The stock item of a SKU, locked; a new one at version 0 where none has been. Raises `NotFound`."""
    if not StockItem.objects.filter(sku=sku).exists():
        variant = known_skus([sku]).get(sku)
        if variant is None:
            raise NotFound(f"there is no SKU {sku}", code="unknown-sku")
        item = StockItem(product_id=variant.product_id, variant_id=variant.variant_id, sku=sku, created_at=now)
        # Somebody else may be doing the same: then theirs is found below, once it is committed.
        StockItem.objects.bulk_create([item], ignore_conflicts=True)
    return lock(StockItem, sku=sku, expected_version=expected_version)


def lock_items(variant_ids: Iterable[UUID]) -> dict[UUID, StockItem]:
    """The stock items of these variants, by variant, locked with one query in id order, so that no two wait for
    each other; a variant that was never in stock is absent."""
    items = StockItem.objects.select_for_update().filter(variant_id__in=set(variant_ids)).order_by("id")
    return {item.variant_id: item for item in items}
