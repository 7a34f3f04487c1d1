"""receive_stock and adjust_stock."""

from __future__ import annotations

from uuid import uuid4

import pytest

from acme.contracts.inventory import StockAdjusted, StockReceived
from acme.errors import Conflict, Invalid, NotFound, StaleVersion
from commands.catalog.archive_product import ArchiveProduct, archive_product
from commands.catalog.find import known_skus
from commands.inventory.adjust_stock import AdjustStock, adjust_stock
from commands.inventory.models import StockItem, StockMovement
from commands.inventory.movements import MOST_MOVED, MOST_ON_HAND
from commands.inventory.receive_stock import ReceiveStock, receive_stock
from tests.integration.commands.catalog.catalogue import product
from tests.integration.commands.inventory.warehouse import level, reserve, stocked
from tests.integration.commands.shop import NOW, events_of, refused, run

pytestmark = pytest.mark.django_db


def test_the_first_receipt_makes_the_item() -> None:
    lamp = product()
    variant_id = known_skus(["LAMP-1"])["LAMP-1"].variant_id
    done = run(receive_stock, ReceiveStock(sku="LAMP-1", quantity=5, reference=" DN 1 ", expected_version=0))
    assert (done.version, done.changed) == (1, True)
    assert done.result == {"sku": "LAMP-1", "on_hand": 5, "reserved": 0, "available": 5}
    run(receive_stock, ReceiveStock(sku="LAMP-1", quantity=2))
    of = {"stock_item_id": done.id, "product_id": lamp, "variant_id": variant_id, "sku": "LAMP-1"}
    none = {"reserved": 0, "old_reserved": 0}
    assert events_of(done.id) == [
        StockReceived(**of, **none, old_on_hand=0, on_hand=5, quantity=5, reference="DN 1"),
        StockReceived(**of, **none, old_on_hand=5, on_hand=7, quantity=2, reference=""),
    ]
    assert level("LAMP-1") == (7, 0)
    assert StockItem.objects.get().created_at == NOW
    lines = StockMovement.objects.order_by("version").values_list("version", "kind", "quantity", "on_hand", "note")
    assert list(lines) == [(1, "received", 5, 5, "DN 1"), (2, "received", 2, 7, "")]


def test_goods_of_an_archived_product_can_still_come() -> None:
    run(archive_product, ArchiveProduct(product_id=product()))
    run(receive_stock, ReceiveStock(sku="LAMP-1", quantity=1))


def test_an_unknown_sku_is_not_found() -> None:
    product()
    for sku in ("NONE", "lamp-1", ""):
        with refused(NotFound):
            run(receive_stock, ReceiveStock(sku=sku, quantity=1))
        with refused(NotFound):
            run(adjust_stock, AdjustStock(sku=sku, quantity_change=1, reason="found"))
    with refused(NotFound):
        run(adjust_stock, AdjustStock(sku="LAMP-1", quantity_change=1, reason="never received"))


@pytest.mark.parametrize("quantity", [0, -1, MOST_MOVED + 1])
def test_a_quantity_out_of_range(quantity: int) -> None:
    stocked(A=1)
    with refused(Invalid, pointer="/quantity"):
        run(receive_stock, ReceiveStock(sku="A", quantity=quantity))


def test_texts_are_checked() -> None:
    stocked(A=1)
    with refused(Invalid, pointer="/reference"):
        run(receive_stock, ReceiveStock(sku="A", quantity=1, reference="x" * 101))
    for reason in ("", "  ", "x" * 201, "a\x00b"):
        with refused(Invalid, pointer="/reason"):
            run(adjust_stock, AdjustStock(sku="A", quantity_change=1, reason=reason))
    with refused(Invalid, pointer="/quantity_change"):
        run(adjust_stock, AdjustStock(sku="A", quantity_change=-MOST_MOVED - 1, reason="lost"))


def test_a_warehouse_is_finite() -> None:
    stocked(A=1)
    StockItem.objects.update(on_hand=MOST_ON_HAND)
    with refused(Conflict, code="too-many", pointer="/quantity"):
        run(receive_stock, ReceiveStock(sku="A", quantity=1))
    with refused(Conflict, code="too-many", pointer="/quantity_change"):
        run(adjust_stock, AdjustStock(sku="A", quantity_change=1, reason="found"))


def test_adjust() -> None:
    ids = stocked(A=5)
    reserve(uuid4(), (ids["A"], 2))
    done = run(adjust_stock, AdjustStock(sku="A", quantity_change=-3, reason="broken", expected_version=2))
    assert done.result == {"sku": "A", "on_hand": 2, "reserved": 2, "available": 0}
    event = events_of(done.id)[-1]
    assert isinstance(event, StockAdjusted)
    assert (event.quantity_change, event.reason, event.old_on_hand, event.on_hand) == (-3, "broken", 5, 2)
    assert level("A") == (2, 2)
    with refused(Conflict, code="below-reserved", pointer="/quantity_change"):
        run(adjust_stock, AdjustStock(sku="A", quantity_change=-1, reason="broken"))
    nothing = run(adjust_stock, AdjustStock(sku="A", quantity_change=0, reason="counted"))
    assert (nothing.version, nothing.changed) == (3, False)


def test_stale_versions() -> None:
    stocked(A=1)
    with refused(StaleVersion):
        run(receive_stock, ReceiveStock(sku="A", quantity=1, expected_version=0))
    with refused(StaleVersion):
        run(adjust_stock, AdjustStock(sku="A", quantity_change=1, reason="found", expected_version=2))
