"""The admin pages of the stock, as a member of staff uses them in a browser."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse

from commands.inventory.models import StockItem
from tests.integration.commands.catalog.catalogue import product
from tests.integration.commands.inventory.warehouse import level, reserve, stocked
from tests.integration.commands.shop import events_of

pytestmark = pytest.mark.django_db


LIST = "admin:commands_stockitem_changelist"
FIRST = "admin:commands_stockitem_do_receive-first"


def test_receiving_and_adjusting(staff: Client) -> None:
    product()
    assert staff.get(reverse(FIRST)).status_code == 200
    answer = staff.post(reverse(FIRST), {"sku": "LAMP-1", "quantity": "5", "reference": "DN 1"}, follow=True)
    assert "Receive stock: done." in answer.content.decode()
    item = StockItem.objects.get()
    for page, form, version in [
        ("receive", {"quantity": "2", "reference": ""}, 1),
        ("adjust", {"quantity_change": "-3", "reason": "broken"}, 2),
    ]:
        address = reverse(f"admin:commands_stockitem_do_{page}", args=[item.id])
        assert f'value="{version}"' in staff.get(address).content.decode()
        staff.post(address, {**form, "expected_version": version})
    kinds = ["StockReceived", "StockReceived", "StockAdjusted"]
    assert [type(event).__name__ for event in events_of(item.id)] == kinds
    assert level("LAMP-1") == (4, 0)


def test_a_second_click_receives_nothing_twice(staff: Client) -> None:
    stocked(A=1)
    address = reverse("admin:commands_stockitem_do_receive", args=[StockItem.objects.get().id])
    answers = [staff.post(address, {"quantity": "5", "expected_version": "1"}, follow=True) for _ in range(2)]
    assert "done" in answers[0].content.decode()
    assert "version 1 was expected, 2 is current" in answers[1].content.decode()
    assert level("A") == (6, 0)


def test_refusals_are_shown(staff: Client) -> None:
    ids = stocked(A=2)
    reserve(uuid4(), (ids["A"], 2))
    answer = staff.post(reverse(FIRST), {"sku": "NONE", "quantity": "5"})
    assert "there is no SKU NONE" in answer.content.decode()
    address = reverse("admin:commands_stockitem_do_adjust", args=[StockItem.objects.get().id])
    answer = staff.post(address, {"quantity_change": "-1", "reason": "lost", "expected_version": "2"})
    assert "2 of them are reserved" in answer.content.decode()
    assert level("A") == (2, 2)


def test_lists_show_levels_holders_and_ledger(staff: Client) -> None:
    ids, order = stocked(A=5, B=1), uuid4()
    reserve(order, (ids["A"], 2), (ids["B"], 1))
    for query, skus in [
        ("", {"A", "B"}),
        ("availability=yes", {"A"}),
        ("availability=no", {"B"}),
        ("availability=reserved", {"A", "B"}),
        ("q=B", {"B"}),
    ]:
        answer = staff.get(f"{reverse(LIST)}?{query}")
        assert {item.sku for item in answer.context["cl"].queryset} == skus
    item = StockItem.objects.get(sku="A")
    shown = staff.get(reverse("admin:commands_stockitem_change", args=[item.id])).content.decode()
    assert str(order) in shown
    ledger = staff.get(f"{reverse('admin:commands_stockmovement_changelist')}?item__id__exact={item.id}")
    assert [row.kind for row in ledger.context["cl"].queryset] == ["reserved", "received"]
    movement = ledger.context["cl"].queryset[0]
    assert staff.get(reverse("admin:commands_stockmovement_change", args=[movement.pk])).status_code == 200
