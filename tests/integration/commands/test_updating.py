"""Several rows written in one statement, from arrays."""

from __future__ import annotations

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from commands.catalog.models import Product
from commands.inventory.models import StockItem, StockMovement
from commands.updating import update_rows
from tests.integration.commands.catalog.catalogue import category, product, variant
from tests.integration.commands.inventory.warehouse import stocked

pytestmark = pytest.mark.django_db


def items() -> list[StockItem]:
    stocked(**{"A-1": 5, "B-1": 5, "C-1": 5})
    return list(StockItem.objects.order_by("sku"))


def levels() -> list[tuple[str, int, int]]:
    return list(StockItem.objects.order_by("sku").values_list("sku", "on_hand", "reserved"))


def test_the_named_columns_of_the_given_rows_and_no_others() -> None:
    first, second, _ = items()
    first.on_hand, first.reserved, first.sku = 50, 7, "another"
    second.on_hand = 2
    with CaptureQueriesContext(connection) as queries:
        update_rows(StockItem, [first, second], ["on_hand", "reserved"])
    assert len(queries) == 1
    assert levels() == [("A-1", 50, 7), ("B-1", 2, 0), ("C-1", 5, 0)]


def test_texts_and_moments_with_their_types() -> None:
    items()
    lines = list(StockMovement.objects.order_by("id"))
    for number, line in enumerate(lines):
        line.note, line.occurred_at = f"'{number}' \\ \"x\"; --", line.occurred_at.replace(year=2020 + number)
    update_rows(StockMovement, lines, ["note", "occurred_at"])
    found = StockMovement.objects.order_by("id").values_list("note", "occurred_at")
    assert list(found) == [(line.note, line.occurred_at) for line in lines]


def test_no_rows_no_statement() -> None:
    with CaptureQueriesContext(connection) as queries:
        update_rows(StockItem, [], ["on_hand"])
    assert len(queries) == 0


def test_a_row_that_is_gone_is_noticed() -> None:
    first, second, _ = items()
    StockMovement.objects.filter(item=second).delete()
    StockItem.objects.filter(id=second.id).delete()
    with pytest.raises(LookupError, match="1 of 2 rows"):
        update_rows(StockItem, [first, second], ["on_hand"])


def test_nulls_and_foreign_keys() -> None:
    lamps = category("Lamps")
    first = Product.objects.get(id=product("A", variant("A-1"), category_id=lamps))
    second = Product.objects.get(id=product("B", variant("B-1")))
    first.category, first.brand = None, "Lux"
    second.category_id = lamps
    update_rows(Product, [first, second], ["category", "brand"])
    assert list(Product.objects.order_by("name").values_list("category_id", "brand")) == [(None, "Lux"), (lamps, None)]


def test_constraints_count_as_always() -> None:
    first, *_ = items()
    first.reserved = first.on_hand + 1
    with pytest.raises(IntegrityError), transaction.atomic():
        update_rows(StockItem, [first], ["reserved"])
