"""The catalogue's admin pages, as a member of staff uses them in a browser."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import reverse

from commands.catalog.models import Category, Product
from commands.customers.models import User
from commands.outbox.models import DomainEvent
from tests.integration.commands.catalog.catalogue import category, product, variant
from tests.integration.commands.shop import events_of, everything

pytestmark = pytest.mark.django_db


def url(model: str, page: str, id_: UUID | None = None) -> str:
    """Address of a command's page, of the list, or of one object."""
    return reverse(f"admin:commands_{model}_{page}", args=[id_] if id_ else None)


def state() -> dict[str, Any]:
    """All state but the user's log-in."""
    return {name: rows for name, rows in everything().items() if name != "User"}


def test_a_person_can_make_a_category_and_a_product(staff: Client) -> None:
    assert staff.get(url("category", "do_create")).status_code == 200
    answer = staff.post(url("category", "do_create"), {"name": "Lamps", "slug": "", "parent_id": ""}, follow=True)
    assert "Add category: done." in answer.content.decode()
    lamps = Category.objects.get()
    page = staff.get(url("product", "do_create")).content.decode()
    assert f'<option value="{lamps.id}">Lamps</option>' in page
    form = {
        "name": "Desk lamp",
        "slug": "",
        "brand": "Lumen",
        "description": "Bright.\r\nLight.",
        "category_id": str(lamps.id),
        "sku": "L-1",
        "variant_name": "",
        "price": "12.99",
        "currency": "GBP",
        "publish": "on",
    }
    staff.post(url("product", "do_create"), form)
    made = Product.objects.get()
    assert (made.slug, made.brand, made.status, made.category_id) == ("desk-lamp", "Lumen", "published", lamps.id)
    assert made.description == "Bright.\nLight."
    kinds = ["ProductCreated", "VariantAdded", "PriceSet", "ProductPublished"]
    assert [type(event).__name__ for event in events_of(made.id)] == kinds
    user = User.objects.get()
    assert {row.metadata["actor"] for row in DomainEvent.objects.all()} == {f"user:{user.id}"}


def test_lists_and_pages_show_what_is_there(staff: Client) -> None:
    top = category("Home")
    lamps = category("Lamps", top)
    lamp = product("Desk lamp", variant("L-1", 1299, "red"), variant("L-2", 999), publish=True, category_id=lamps)
    product("Draft thing", variant("D-1", None))
    listed = staff.get(url("product", "changelist")).content.decode()
    assert "Desk lamp" in listed
    assert "9.99" in listed
    for query, found in [("q=L-1", True), ("q=desk", True), ("q=nothing", False), ("status__exact=draft", False)]:
        assert ("Desk lamp" in staff.get(f"{url('product', 'changelist')}?{query}").content.decode()) is found
    shown = staff.get(url("product", "change", lamp)).content.decode()
    for text in ("Desk lamp", "L-1", "red", "12.99 GBP", "Set price", "Unpublish", "Archive"):
        assert text in shown
    assert ">Publish<" not in shown
    assert "Home › Lamps" in staff.get(url("product", "do_categorise", lamp)).content.decode()
    assert "Lamps" in staff.get(url("category", "changelist")).content.decode()
    assert staff.get(url("category", "change", lamps)).status_code == 200


def post(staff: Client, model: str, page: str, id_: UUID, **form: str) -> Any:
    """The page's form as it was shown, with these members filled in, sent back."""
    address = url(model, f"do_{page}", id_)
    shown = staff.get(address).context["form"]
    filled = {name: shown[name].value() for name in shown.fields}
    data = {name: value for name, value in {**filled, **form}.items() if value is not None}
    return staff.post(address, data, follow=True)


def test_every_command_on_a_product(staff: Client) -> None:
    lamps, lamp = category(), product()
    post(staff, "product", "change", lamp, name="Lamp", brand="")
    post(staff, "product", "categorise", lamp, category_id=str(lamps))
    post(staff, "product", "add-variant", lamp, sku="L 2", name="blue", price="5")
    post(staff, "product", "set-price", lamp, sku="L 2", price="700", currency="JPY")
    post(staff, "product", "remove-variant", lamp, sku="LAMP-1")
    post(staff, "product", "publish", lamp)
    post(staff, "product", "unpublish", lamp)
    post(staff, "product", "archive", lamp)
    assert [type(event).__name__ for event in events_of(lamp)[3:]] == [
        "ProductDetailsChanged",
        "ProductCategorised",
        "VariantAdded",
        "PriceSet",
        "PriceSet",
        "VariantRemoved",
        "ProductPublished",
        "ProductUnpublished",
        "ProductArchived",
    ]
    row = Product.objects.get(id=lamp)
    assert (row.name, row.slug, row.category_id, row.status) == ("Lamp", "desk-lamp", lamps, "archived")


def test_every_command_on_a_category(staff: Client) -> None:
    top, lamps = category("Home"), category()
    post(staff, "category", "change", lamps, name="Lights", slug="lights")
    post(staff, "category", "move", lamps, parent_id=str(top))
    row = Category.objects.get(id=lamps)
    assert (row.name, row.slug, row.parent_id, row.version) == ("Lights", "lights", top, 3)


def test_refusals_are_shown_at_the_field_and_change_nothing(staff: Client) -> None:
    product("Other", variant("O-1"))
    lamps, lamp = category(), product()
    before = state()
    for model, page, id_, form, text in [
        ("product", "change", lamp, {"slug": "other"}, "the slug other is taken"),
        ("product", "change", lamp, {"name": " "}, "This field is required"),
        ("product", "add-variant", lamp, {"sku": "O-1", "price": "1"}, "the SKU O-1 is taken"),
        ("product", "add-variant", lamp, {"sku": "a/b", "price": "1"}, "printable characters"),
        ("product", "set-price", lamp, {"sku": "LAMP-1", "price": "1.001"}, "GBP has 2 decimals"),
        ("product", "set-price", lamp, {"sku": "LAMP-1", "price": "-1"}, "greater than or equal to 0"),
        ("category", "move", lamps, {"parent_id": str(lamps)}, "cannot be moved below itself"),
    ]:
        answer = post(staff, model, page, id_, **form)
        assert answer.status_code == 200
        assert text in answer.content.decode(), (page, form)
    assert state() == before


def test_a_form_that_was_shown_before_another_change_is_refused(staff: Client) -> None:
    lamp = product()
    answer = post(staff, "product", "change", lamp, name="New", expected_version="2")
    assert "version 2 was expected, 3 is current" in answer.content.decode()
    assert Product.objects.get(id=lamp).version == 3


def test_actions_on_many(staff: Client) -> None:
    good, bad = product("Good", variant("G-1")), product("Bad", variant("B-1", None))
    data = {"action": "publish_chosen", "_selected_action": [str(good), str(bad)]}
    answer = staff.post(url("product", "changelist"), data, follow=True).content.decode()
    assert "1 published." in answer
    assert "Bad: a product needs a variant with a price" in answer
    assert set(Product.objects.values_list("name", "status")) == {("Good", "published"), ("Bad", "draft")}


@pytest.mark.parametrize("model", ["product", "category"])
def test_nothing_is_deleted_or_edited_in_place(staff: Client, model: str) -> None:
    made = {"product": product(), "category": category()}[model]
    before = state()
    assert staff.post(url(model, "delete", made), {"post": "yes"}).status_code == 403
    assert staff.post(url(model, "change", made), {"name": "New"}).status_code == 403
    assert staff.post(url(model, "add"), {"name": "New"}).status_code == 403
    data = {"action": "delete_selected", "_selected_action": [str(made)], "post": "yes"}
    staff.post(url(model, "changelist"), data)
    assert state() == before


def test_others_see_only_the_log_in(client: Client) -> None:
    lamp = product()
    client.force_login(User.objects.create_user("shopper@acme.test"))
    before = state()
    for address in (url("product", "changelist"), url("product", "do_create"), url("product", "do_archive", lamp)):
        for answer in (client.get(address), client.post(address, {"name": "x"})):
            assert answer.status_code == 302
            assert "/admin/login/" in answer.headers["Location"]
    assert state() == before
