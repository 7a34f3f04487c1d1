"""Listing and reading products."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.queries.conftest import STAFF, Ask, ReadStore, as_customer
from tests.integration.queries.documents import category, new_id, product


def names(response: Any) -> list[str]:
    assert response.status_code == 200, response.content
    return [entry["name"] for entry in response.json()["results"]]


def refused(response: Any, parameter: str) -> None:
    assert response.status_code == 400, response.content
    assert parameter in [error.get("parameter") for error in response.json()["errors"]]


def test_the_public_sees_what_is_published_newest_first(store: ReadStore, ask: Ask) -> None:
    store.put("products", product("Old", minutes=1), product("New", minutes=2), product("Draft", status="draft"))
    store.put("products", {"_id": new_id(), "stock": {}, "in_stock": True})
    assert names(ask("products")) == ["New", "Old"]


def test_staff_may_ask_for_other_statuses(store: ReadStore, ask: Ask) -> None:
    store.put("products", product("A", minutes=3), product("B", status="draft", minutes=2))
    store.put("products", product("C", status="archived", minutes=1))
    assert names(ask("products", headers=STAFF)) == ["A"]
    assert names(ask("products", status="draft", headers=STAFF)) == ["B"]
    assert names(ask("products", status="any", headers=STAFF)) == ["A", "B", "C"]
    assert ask("products", status="draft").status_code == 401
    assert ask("products", status="draft", headers=as_customer(new_id())).status_code == 403


def test_a_category_includes_its_descendants(store: ReadStore, ask: Ask) -> None:
    home = category("Home")
    kitchen = category("Kitchen", parent_id=home["_id"])
    mugs = category("Mugs", parent_id=kitchen["_id"])
    store.put("categories", home, kitchen, mugs, category("Garden"))
    store.put("products", product("Mug", category_id=mugs["_id"]), product("Lamp", category_id=home["_id"], minutes=1))
    store.put("products", product("Spade"))
    assert names(ask("products", category="home")) == ["Lamp", "Mug"]
    assert names(ask("products", category=kitchen["_id"].upper())) == ["Mug"]
    assert names(ask("products", category="garden")) == []
    refused(ask("products", category="nowhere"), "category")
    shown = ask("products/mug").json()
    assert shown["category"] == {"id": mugs["_id"], "name": "Mugs", "slug": "mugs"}
    assert [link["slug"] for link in shown["category_path"]] == ["home", "kitchen", "mugs"]


def test_price_range_is_inclusive_and_exact(store: ReadStore, ask: Ask) -> None:
    store.put("products", *(product(f"P{price}", price=price) for price in (999, 1000, 1299, 1300)))
    assert names(ask("products", price_min="10", price_max="12.99", sort="price")) == ["P1000", "P1299"]
    assert names(ask("products", price_min="13.00")) == ["P1300"]
    assert names(ask("products", price_max="9.99")) == ["P999"]
    assert names(ask("products", price_max="0")) == []


def test_a_range_wants_one_variant_inside_it(store: ReadStore, ask: Ask) -> None:
    both = product("Two", price=500)
    both["product"]["variants"].append({"variant_id": new_id(), "sku": "TWO-L", "name": "L", "prices": {"GBP": 5000}})
    both["product"]["price_max"] = {"GBP": 5000}
    store.put("products", both)
    assert names(ask("products", price_min="10", price_max="20")) == []
    assert names(ask("products", price_min="10", price_max="50")) == ["Two"]


def test_prices_of_other_currencies(store: ReadStore, ask: Ask) -> None:
    store.put("products", product("Yen", prices={"JPY": 1500}), product("Pound", price=100))
    found = ask("products", currency="JPY", price_min="1500", sort="price")
    assert names(found) == ["Yen"]
    assert found.json()["results"][0]["price_min"] == {"amount_minor": 1500, "currency": "JPY", "amount": "1500"}
    refused(ask("products", currency="JPY", price_min="1500.5"), "price_min")
    assert names(ask("products", currency="JPY", sort="-price")) == ["Yen"]


def test_words_stock_and_sort(store: ReadStore, ask: Ask) -> None:
    store.put("products", product("Red mug", price=3), product("Blue Mug", price=2, pieces=0, description="café"))
    store.put("products", product("Red plate", price=1))
    assert names(ask("products", q="MUG", sort="name")) == ["Blue Mug", "Red mug"]
    assert names(ask("products", q="mug red")) == ["Red mug"]
    assert names(ask("products", q="cafe")) == ["Blue Mug"]
    assert names(ask("products", q="red", in_stock="true", sort="price")) == ["Red plate", "Red mug"]
    assert names(ask("products", in_stock="false")) == ["Blue Mug"]
    assert names(ask("products", sort="-price")) == ["Red mug", "Blue Mug", "Red plate"]
    assert names(ask("products", sort="-name")) == ["Red plate", "Red mug", "Blue Mug"]


@pytest.mark.parametrize("sort", ["newest", "name", "-name", "price", "-price"])
def test_pages_forwards_and_back_show_everything_once(store: ReadStore, ask: Ask, sort: str) -> None:
    store.put("products", *(product("Same" if n % 2 else f"N{n}", price=n % 3, minutes=n % 4) for n in range(11)))
    whole = [entry["id"] for entry in ask("products", sort=sort).json()["results"]]
    assert len(whole) == len(set(whole)) == 11
    pages = [ask("products", sort=sort, limit=4).json()]
    while pages[-1]["next"]:
        pages.append(ask(pages[-1]["next"]).json())
    ids = [[entry["id"] for entry in page["results"]] for page in pages]
    assert [len(page) for page in ids] == [4, 4, 3]
    assert [*ids[0], *ids[1], *ids[2]] == whole
    assert pages[0]["previous"] is None
    back = ask(pages[2]["previous"]).json()
    assert [entry["id"] for entry in back["results"]] == ids[1]
    first = ask(back["previous"]).json()
    assert [entry["id"] for entry in first["results"]] == ids[0]
    assert first["previous"] is None
    assert [entry["id"] for entry in ask(first["next"]).json()["results"]] == ids[1]


def test_a_cursor_belongs_to_its_question(store: ReadStore, ask: Ask) -> None:
    store.put("products", product("A"), product("B"))
    cursor = ask("products", limit=1).json()["next"].split("cursor=")[1].split("&")[0]
    assert ask("products", cursor=cursor).status_code == 200
    refused(ask("products", cursor=cursor, sort="name"), "cursor")
    refused(ask("products", cursor=cursor, in_stock="true"), "cursor")
    refused(ask("orders", cursor=cursor, headers=STAFF), "cursor")
    for wrong in ("x", "%%%", "gA", cursor[:-4], cursor + "AAAA", "é"):
        refused(ask("products", cursor=wrong), "cursor")


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("category", ""),
        ("price_min", "-1"),
        ("price_min", "1e3"),
        ("price_min", "12.999"),
        ("price_min", "NaN"),
        ("price_max", "999999999999999"),
        ("currency", "gbp"),
        ("currency", "ZZZ"),
        ("in_stock", "yes"),
        ("q", "!!"),
        ("q", " "),
        ("q", "a\x00b"),
        ("sort", "best"),
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "ten"),
        ("colour", "red"),
        ("$where", "1"),
    ],
)
def test_a_wrong_parameter_is_named(ask: Ask, parameter: str, value: str) -> None:
    refused(ask("products", **{parameter: value}), parameter)


def test_a_repeated_parameter_and_a_reversed_range(ask: Ask) -> None:
    refused(ask("/api/v1/products?q=a&q=b"), "q")
    refused(ask("products", price_min="2", price_max="1"), "price_max")
    refused(ask("products/mug", limit="1"), "limit")


def test_one_product_by_id_or_slug(store: ReadStore, ask: Ask) -> None:
    mug = product("Mug", description="For tea.", prices={"GBP": 500, "EUR": 600})
    draft = product("Draft", status="draft")
    store.put("products", mug, draft)
    shown = ask(f"products/{mug['_id']}")
    assert shown.status_code == 200
    assert shown.json() == ask("products/mug").json()
    body = shown.json()
    assert body["description"] == "For tea."
    assert body["variants"][0]["available"] == 5
    assert [price["currency"] for price in body["variants"][0]["prices"]] == ["EUR", "GBP"]
    assert body["created_at"] == "2026-01-01T12:00:00Z"
    assert ask("products/draft").status_code == 404
    assert ask(f"products/{draft['_id']}", headers=as_customer(new_id())).status_code == 404
    assert ask("products/draft", headers=STAFF).json()["status"] == "draft"
    for unknown in ("nothing", new_id(), "%00", "a" * 300, "$ne"):
        assert ask(f"products/{unknown}").status_code == 404


def test_etag_changes_with_the_representation(store: ReadStore, ask: Ask) -> None:
    mug = product("Mug")
    store.put("products", mug)
    first = ask("products/mug")
    assert first["ETag"].startswith('"3-')
    again = ask("products/mug", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", first["ETag"])
    assert ask("products/mug", headers={"If-None-Match": f'"x", W/{first["ETag"]}'}).status_code == 304
    assert ask("products/mug", headers={"If-None-Match": '"3"'}).status_code == 200
    store.collection("products__g1").update_one({"_id": mug["_id"]}, {"$set": {"available": 1}})
    changed = ask("products/mug", headers={"If-None-Match": first["ETag"]})
    assert changed.status_code == 200
    assert changed["ETag"].startswith('"3-')


def test_a_slug_that_moved_belongs_to_the_later_change(store: ReadStore, ask: Ask) -> None:
    store.put("products", product("Mug", minutes=1, sku="OLD"), product("Mug", minutes=2, sku="NEW"))
    assert ask("products/mug").json()["variants"][0]["sku"] == "NEW"
