"""`manage.py seed_demo` on PostgreSQL: the same believable shop at every run, through the handlers."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import call_command

from commands.demo.seed import seed
from commands.outbox.models import DomainEvent
from tests.integration.commands.shop import everything
from tests.integration.conftest import empty_database
from tests.integration.importing.runs import content

KINDS = ("category", "product", "customer", "stock_item", "cart", "order")
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def quietly(what: str, total: int):
    return lambda completed: None


@pytest.mark.django_db
def test_a_shop_with_everything_in_it_and_nothing_after_now() -> None:
    made = seed(NOW, quietly)
    assert made == {"products": 352, "customers": 100, "orders": 300, "carts": 15}
    shop = content(*KINDS)
    orders = [state for kind, state in shop if kind == "order"]
    assert set(Counter(order["status"] for order in orders)) == {"placed", "confirmed", "completed", "cancelled"}
    assert {order["payment_status"] for order in orders} == {"none", "partial", "full"}
    assert {order["fulfilment_status"] for order in orders} == {"unfulfilled", "partial", "fulfilled"}
    assert any(order["guest_token_hash"] for order in orders)
    assert {order["currency"] for order in orders} == {"GBP"}
    assert len({state["name"] for kind, state in shop if kind == "product"}) == 352
    stock = [state for kind, state in shop if kind == "stock_item"]
    assert all(0 <= item["reserved"] <= item["on_hand"] for item in stock)
    moments = DomainEvent.objects.values_list("occurred_at", flat=True)
    assert NOW - timedelta(weeks=10) < min(moments) <= max(moments) <= NOW


@pytest.mark.django_db
def test_a_second_run_leaves_the_shop_alone() -> None:
    call_command("seed_demo", stdout=StringIO())
    before = everything()
    out = StringIO()
    call_command("seed_demo", stdout=out)
    assert "not empty" in out.getvalue()
    assert everything() == before


def test_it_is_the_same_shop_every_time(shop_database: None) -> None:
    shops = []
    for _ in range(2):
        seed(NOW, quietly)
        shops.append(_without_chance(content(*KINDS)))
        empty_database()
    assert shops[0] == shops[1]


def _without_chance(shop: list) -> list:
    """Guest tokens and the ids of parcels are random, order numbers go on counting."""
    for kind, state in shop:
        if kind == "order":
            state["number"] = "the next"
        if state.get("guest_token_hash"):
            state["guest_token_hash"] = "a guest's"
        for fulfilment in state.get("fulfilments", ()):
            fulfilment["id"] = "a parcel's"
    return sorted(shop, key=repr)
