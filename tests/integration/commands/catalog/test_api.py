"""The catalogue's addresses: what they answer; bad input is a 4xx that names the member and changes nothing."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from acme.identity import Role
from commands.catalog.api import ROUTES
from commands.catalog.models import Category, Product
from tests.integration.commands.catalog.catalogue import category, product
from tests.integration.commands.client import blamed, send
from tests.integration.commands.shop import everything

pytestmark = pytest.mark.django_db

PRICE = {"amount_minor": 1299, "currency": "GBP"}


def test_a_category_from_birth_to_its_place() -> None:
    home = send("POST", "categories", {"name": "Home"}).json()
    created = send("POST", "categories", {"name": "Lamps", "parent_id": home["id"]})
    assert created.status_code == 201
    body = created.json()
    assert (body["version"], body["slug"]) == (1, "lamps")
    assert created.headers["Location"] == f"/api/v1/categories/{body['id']}"
    assert created.headers["ETag"] == '"1"'
    assert created.headers["Consistency-Token"]
    path = f"categories/{body['id']}"
    changed = send("PATCH", path, {"name": "Lights"}, if_match='"1"')
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    moved = send("POST", f"{path}/move", {"parent_id": None})
    assert (moved.status_code, moved.json()["version"]) == (200, 3)
    row = Category.objects.get(id=body["id"])
    assert (row.name, row.slug, row.parent_id) == ("Lights", "lamps", None)


def test_a_product_through_all_its_verbs() -> None:
    lamps = str(category())
    draft = {
        "name": "Lamp",
        "brand": "",
        "category_id": lamps,
        "variants": [{"sku": "A", "name": "red", "price": PRICE}],
    }
    created = send("POST", "products", draft)
    assert created.status_code == 201, created.content
    assert [variant["sku"] for variant in created.json()["variants"]] == ["A"]
    path = f"products/{created.json()['id']}"
    verbs: list[tuple[str, dict[str, Any]]] = [
        ("publish", {}),
        ("add-variant", {"sku": "B", "price": PRICE}),
        ("set-price", {"sku": "B", "price": {"amount_minor": 1, "currency": "EUR"}}),
        ("remove-variant", {"sku": "A"}),
        ("categorise", {"category_id": None}),
        ("unpublish", {}),
        ("archive", {}),
    ]
    for verb, body in verbs:
        answer = send("POST", f"{path}/{verb}", body)
        assert answer.status_code == 200, (verb, answer.content)
    assert send("PATCH", path, {"name": "New"}, if_match="*").status_code == 409
    assert Product.objects.get(id=created.json()["id"]).version == answer.json()["version"] == 11


def test_patch_changes_what_is_given() -> None:
    lamp = product()
    answer = send("PATCH", f"products/{lamp}", {"brand": None, "description": "a\nb"}, if_match='"3"')
    assert answer.status_code == 200, answer.content
    row = Product.objects.get(id=lamp)
    assert (row.name, row.brand, row.description, row.version) == ("Desk lamp", None, "a\nb", 4)
    unchanged = send("PATCH", f"products/{lamp}", {}, if_match='"4"')
    assert (unchanged.status_code, unchanged.json()["version"]) == (200, 4)


@pytest.mark.parametrize(
    ("body", "pointers"),
    [
        ({}, {"/name"}),
        ({"name": 3}, {"/name"}),
        ({"name": ""}, {"/name"}),
        ({"name": "a", "colour": "red"}, {"/colour"}),
        ({"name": "a\u0000"}, {"/name"}),
        ({"name": "a", "slug": "Not A Slug"}, {"/slug"}),
        ({"name": "a", "category_id": "1"}, {"/category_id"}),
        ({"name": "a", "category_id": str(uuid4())}, {"/category_id"}),
        ({"name": "a", "publish": "yes"}, {"/publish"}),
        ({"name": "a", "variants": {}}, {"/variants"}),
        ({"name": "a", "variants": [{"sku": "A"}]}, {"/variants/0/price"}),
        ({"name": "a", "variants": [{"sku": " A", "price": PRICE}]}, {"/variants/0/sku"}),
        ({"name": "a", "variants": [{"sku": "A/B", "price": PRICE}]}, {"/variants/0/sku"}),
        (
            {"name": "a", "variants": [{"sku": "A", "price": {**PRICE, "amount_minor": -1}}]},
            {"/variants/0/price/amount_minor"},
        ),
        (
            {"name": "a", "variants": [{"sku": "A", "price": {**PRICE, "amount_minor": 1.5}}]},
            {"/variants/0/price/amount_minor"},
        ),
        (
            {"name": "a", "variants": [{"sku": "A", "price": {**PRICE, "amount_minor": 10**15}}]},
            {"/variants/0/price/amount_minor"},
        ),
        (
            {"name": "a", "variants": [{"sku": "A", "price": {**PRICE, "currency": "XXQ"}}]},
            {"/variants/0/price/currency"},
        ),
        ({"name": "a", "variants": [{"sku": f"S{n}", "price": PRICE} for n in range(201)]}, {"/variants"}),
    ],
)
def test_bad_products(body: dict[str, Any], pointers: set[str]) -> None:
    before = everything()
    assert blamed(send("POST", "products", body)) == pointers
    assert everything() == before


def test_conflicts_and_missing_things() -> None:
    lamp, lamps = product(), category()
    before = everything()
    for path, body, status, code in [
        (f"products/{uuid4()}/publish", {}, 404, "not-found"),
        (f"products/{lamp}/set-price", {"sku": "NONE", "price": PRICE}, 404, "unknown-sku"),
        (f"products/{lamp}/add-variant", {"sku": "LAMP-1", "price": PRICE}, 409, "sku-taken"),
        (f"categories/{lamps}/move", {"parent_id": str(lamps)}, 409, "category-cycle"),
        ("categories", {"name": "x", "slug": "lamps"}, 409, "slug-taken"),
    ]:
        answer = send("POST", path, body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), path
    for path in (f"products/{lamp}", f"categories/{lamps}"):
        assert send("PATCH", path, {"name": "x"}).status_code == 428
        assert send("PATCH", path, {"name": "x"}, if_match='"99"').status_code == 412
    assert send("POST", f"products/{lamp}/publish", {}, if_match='"99"').status_code == 412
    assert everything() == before


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_nobody_but_staff(route: Any) -> None:
    lamp, lamps = product(), category()
    subject: UUID = lamps if route.path.startswith("categories") else lamp
    path = route.path.replace("<uuid:id>", str(subject))
    body = {
        "ChangeProductBody": {"name": "x"},
        "ChangeCategoryBody": {"name": "x"},
        "CreateCategoryBody": {"name": "x"},
        "CreateProductBody": {"name": "x"},
        "MoveCategoryBody": {"parent_id": None},
        "CategoriseBody": {"category_id": None},
        "NewVariantBody": {"sku": "X", "price": PRICE},
        "SkuBody": {"sku": "LAMP-1"},
        "SetPriceBody": {"sku": "LAMP-1", "price": PRICE},
        "NoMembers": {},
    }[route.view.body.__name__]
    before = everything()
    assert send(route.method, path, body, Role.CUSTOMER, if_match="*").status_code == 403
    assert send(route.method, path, body, authorization="", if_match="*").status_code == 401
    assert send(route.method, path, body, authorization="Bearer x.y.z", if_match="*").status_code == 401
    assert everything() == before
