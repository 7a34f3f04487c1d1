"""The addresses of the stock."""

from __future__ import annotations

from typing import Any

import pytest

from acme.identity import Role
from commands.inventory.models import StockItem
from tests.integration.commands.catalog.catalogue import product, variant
from tests.integration.commands.client import blamed, send
from tests.integration.commands.inventory.warehouse import level, stocked
from tests.integration.commands.shop import everything

pytestmark = pytest.mark.django_db


def test_receive_and_adjust() -> None:
    product("Lamp", variant("A 1#é"))
    received = send("POST", "stock/A%201%23%C3%A9/receive", {"quantity": 5, "reference": "DN 7"})
    assert received.status_code == 200, received.content
    item = StockItem.objects.get()
    levels = {"sku": "A 1#é", "on_hand": 5, "reserved": 0, "available": 5}
    assert received.json() == {"id": str(item.id), "version": 1, **levels}
    assert received.headers["ETag"] == '"1"'
    adjusted = send("POST", "stock/A%201%23%C3%A9/adjust", {"quantity_change": -2, "reason": "broken"}, if_match='"1"')
    assert (adjusted.status_code, adjusted.json()["on_hand"]) == (200, 3)


def test_the_same_key_receives_once() -> None:
    stocked(A=1)
    answers = [send("POST", "stock/A/receive", {"quantity": 5}, idempotency_key="delivery-1") for _ in range(2)]
    assert answers[0].content == answers[1].content
    assert level("A") == (6, 0)
    assert send("POST", "stock/A/receive", {"quantity": 6}, idempotency_key="delivery-1").status_code == 422
    for verb, body in (("receive", {"quantity": 5}), ("adjust", {"quantity_change": 5, "reason": "found"})):
        assert send("POST", f"stock/A/{verb}", body, idempotency_key="").status_code == 400
    assert level("A") == (6, 0)


@pytest.mark.parametrize(
    ("verb", "body", "pointer"),
    [
        ("receive", {}, "/quantity"),
        ("receive", {"quantity": "3"}, "/quantity"),
        ("receive", {"quantity": True}, "/quantity"),
        ("receive", {"quantity": 0}, "/quantity"),
        ("receive", {"quantity": 2**70}, "/quantity"),
        ("receive", {"quantity": 1, "reference": "x" * 101}, "/reference"),
        ("receive", {"quantity": 1, "warehouse": "main"}, "/warehouse"),
        ("adjust", {"quantity_change": 1}, "/reason"),
        ("adjust", {"quantity_change": 1, "reason": " "}, "/reason"),
        ("adjust", {"quantity_change": None, "reason": "x"}, "/quantity_change"),
        ("adjust", {"quantity_change": -2, "reason": "x"}, "/quantity_change"),
    ],
)
def test_bad_input(verb: str, body: dict[str, Any], pointer: str) -> None:
    stocked(A=1)
    before = everything()
    assert blamed(send("POST", f"stock/A/{verb}", body)) == {pointer}
    assert everything() == before


def test_unknown_skus_stale_versions_and_others() -> None:
    stocked(A=1)
    before = everything()
    for sku in ("NONE", "a", "%00", "..", "x" * 300):
        assert send("POST", f"stock/{sku}/receive", {"quantity": 1}).status_code == 404
        assert send("POST", f"stock/{sku}/adjust", {"quantity_change": 1, "reason": "x"}).status_code == 404
    assert send("POST", "stock/A/receive", {"quantity": 1}, if_match='"9"').status_code == 412
    assert send("POST", "stock/A/receive", {"quantity": 1}, Role.CUSTOMER).status_code == 403
    assert send("POST", "stock/A/adjust", {"quantity_change": 1, "reason": "x"}, authorization="").status_code == 401
    assert everything() == before
