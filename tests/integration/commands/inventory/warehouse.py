"""Short ways to stock for tests: everything goes through the handlers."""

from __future__ import annotations

from uuid import UUID

from commands.catalog.find import known_skus
from commands.handling import Done
from commands.inventory.models import Reservation, StockItem, StockMovement
from commands.inventory.receive_stock import ReceiveStock, receive_stock
from commands.inventory.reserve_stock import ReserveStock, reserve_stock
from tests.integration.commands.catalog.catalogue import product, variant
from tests.integration.commands.shop import run


def stocked(**pieces: int) -> dict[str, UUID]:
    """One product with a variant per SKU, so many pieces of each received; variant ids by SKU."""
    product("Lamp", *(variant(sku) for sku in pieces), publish=True)
    for sku, quantity in pieces.items():
        if quantity:
            run(receive_stock, ReceiveStock(sku=sku, quantity=quantity))
    return {sku: found.variant_id for sku, found in known_skus(pieces).items()}


def reserve(order_id: UUID, *lines: tuple[UUID, int]) -> Done:
    return run(reserve_stock, ReserveStock(order_id=order_id, lines=lines))


def level(sku: str) -> tuple[int, int]:
    """(on hand, reserved); asserts that reservations and ledger agree with the item."""
    item = StockItem.objects.get(sku=sku)
    last = StockMovement.objects.filter(item=item).latest("version")
    assert (last.version, last.on_hand, last.reserved) == (item.version, item.on_hand, item.reserved)
    assert sum(Reservation.objects.filter(item=item).values_list("quantity", flat=True)) == item.reserved
    return item.on_hand, item.reserved
