"""Carts, orders, customers and stock: what they answer, and to whom."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from acme.identity import Role, hash_token, new_token
from queries.documents.connection import live_collection
from tests.integration.queries.conftest import STAFF, Ask, ReadStore, as_customer, bearer
from tests.integration.queries.documents import (
    START,
    cart,
    cart_line,
    customer,
    new_id,
    order,
    product,
    stock_item,
)

ADA, BOB = (f"00000000-0000-7000-8000-0000000000{end}" for end in ("aa", "bb"))  # fixed: parts of test names


def test_a_cart_shows_prices_then_and_now(store: ReadStore, ask: Ask) -> None:
    mug, gone = product("Mug", price=1500, pieces=1), product("Gone", status="archived")
    store.put("products", mug, gone)
    lines = [cart_line(mug, quantity=2, unit_price=1200), cart_line(gone, quantity=1, unit_price=100)]
    mine = cart(*lines, customer_id=ADA)
    store.put("carts", mine)
    body = ask(f"carts/{mine['_id']}", headers=as_customer(ADA)).json()
    first, second = body["lines"]
    assert (first["unit_price"]["amount"], first["current_unit_price"]["amount"]) == ("12.00", "15.00")
    assert (first["amount"]["amount_minor"], first["current_amount"]["amount_minor"]) == (2400, 3000)
    assert (first["available"], first["can_be_bought"]) == (1, False)
    assert (second["current_unit_price"], second["available"], second["can_be_bought"]) == (None, 0, False)
    assert (body["total"]["amount_minor"], body["current_total"], body["quantity"]) == (2500, None, 3)
    assert "guest_token_hash" not in body


def test_a_guests_cart_opens_to_its_token_alone(store: ReadStore, ask: Ask) -> None:
    token = new_token()
    theirs = cart(token_hash=hash_token(token))
    store.put("carts", theirs)
    path = f"carts/{theirs['_id']}"
    opened = ask(path, headers={"Guest-Token": token})
    assert (opened.status_code, opened.json()["total"], opened["ETag"][:3]) == (200, None, '"2-')
    for headers in ({}, {"Guest-Token": new_token()}, as_customer(ADA), STAFF):
        assert ask(path, headers=headers).status_code == 404
    assert ask(path, headers={"Guest-Token": "not/a token"}).status_code == 400


def test_own_orders_and_all_for_the_staff(store: ReadStore, ask: Ask) -> None:
    mine, other = (
        order(customer_id=ADA),
        order(customer_id=BOB, placed_at=START + timedelta(days=1), status="confirmed"),
    )
    store.put("orders", mine, other)

    def ids(**asked: Any) -> list[str]:
        return [entry["id"] for entry in ask("orders", **asked).json()["results"]]

    assert ids(headers=as_customer(ADA)) == [mine["_id"]]
    assert ids(headers=STAFF) == [other["_id"], mine["_id"]]
    assert ids(headers=STAFF, customer=BOB) == [other["_id"]]
    assert ids(headers=STAFF, status="placed") == [mine["_id"]]
    assert ids(headers=STAFF, placed_from="2026-01-02") == [other["_id"]]
    assert ids(headers=STAFF, placed_to="2026-01-01") == [mine["_id"]]
    assert ids(headers=as_customer(ADA), placed_from="2026-01-02") == []
    assert ids(headers={"Authorization": bearer(Role.CUSTOMER)}) == []


def test_pages_of_orders_placed_at_the_same_moment(store: ReadStore, ask: Ask) -> None:
    store.put("orders", *(order(customer_id=ADA, number=f"A-{n}") for n in range(5)))
    store.put("orders", order(customer_id=BOB))
    page = ask("orders", limit=2, headers=as_customer(ADA)).json()
    numbers = [entry["number"] for entry in page["results"]]
    while page["next"]:
        page = ask(page["next"], headers=as_customer(ADA)).json()
        numbers += [entry["number"] for entry in page["results"]]
    assert sorted(numbers) == [f"A-{n}" for n in range(5)]


def test_one_order(store: ReadStore, ask: Ask) -> None:
    token = new_token()
    mine, guests = order(customer_id=ADA), order(token_hash=hash_token(token))
    store.put("orders", mine, guests)
    body = ask(f"orders/{mine['_id']}", headers=as_customer(ADA)).json()
    assert body["total"] == {"amount_minor": 1000, "currency": "GBP", "amount": "10.00"}
    assert body["payments"][0]["amount"]["amount"] == "4.00"
    assert body["timeline"] == [{"event": "OrderPlaced", "at": "2026-01-01T12:00:00Z"}]
    assert "guest_token_hash" not in body
    assert ask(f"orders/{mine['_id']}", headers=STAFF).status_code == 200
    assert ask(f"orders/{guests['_id']}", headers={"Guest-Token": token}).status_code == 200
    for path, headers in [
        (mine["_id"], as_customer(BOB)),
        (mine["_id"], {}),
        (mine["_id"], {"Guest-Token": token}),
        (guests["_id"], as_customer(ADA)),
        (new_id(), STAFF),
        ("A-1", STAFF),
    ]:
        assert ask(f"orders/{path}", headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("parameters", "named"),
    [
        ({"status": "lost"}, "status"),
        ({"placed_from": "yesterday"}, "placed_from"),
        ({"placed_to": "9999-12-31"}, "placed_to"),
        ({"placed_from": "0001-01-01"}, "placed_from"),
        ({"placed_from": "2026-02-01", "placed_to": "2026-01-01"}, "placed_to"),
        ({"customer": "ada"}, "customer"),
        ({"limit": "-1"}, "limit"),
    ],
)
def test_wrong_parameters_of_orders(ask: Ask, parameters: dict[str, str], named: str) -> None:
    answer = ask("orders", headers=STAFF, **parameters)
    assert answer.status_code == 400
    assert named in [error["parameter"] for error in answer.json()["errors"]]


def test_me(store: ReadStore, ask: Ask) -> None:
    store.put("customers", customer("Ada", customer_id=ADA))
    body = ask("me", headers=as_customer(ADA)).json()
    assert (body["customer"]["name"], body["roles"]) == ("Ada", ["customer"])
    assert "sales" not in body["customer"]
    staff = ask("me", headers={"Authorization": bearer(Role.STAFF, Role.SUPERUSER)}).json()
    assert (staff["customer"], staff["roles"]) == (None, ["staff", "superuser"])


def test_customers(store: ReadStore, ask: Ask) -> None:
    store.put("customers", customer("Ada", customer_id=ADA), customer("Bob", customer_id=BOB))
    unnamed = {"_id": new_id(), "sales": {"orders": 1}}
    store.put("customers", unnamed)
    assert {entry["name"] for entry in ask("customers", headers=STAFF).json()["results"]} == {"Ada", "Bob"}
    first = ask("customers", headers=STAFF, limit=1).json()
    second = ask(first["next"], headers=STAFF).json()
    assert {first["results"][0]["name"], second["results"][0]["name"]} == {"Ada", "Bob"}
    assert ask(second["previous"], headers=STAFF).json()["results"] == first["results"]
    found = ask("customers", headers=STAFF, email="bob@acme.test").json()["results"]
    assert [entry["id"] for entry in found] == [BOB]
    sales = ask(f"customers/{ADA}", headers=STAFF).json()["sales"]
    assert (sales["orders"], sales["net"][0]["amount"], sales["last_order_at"]) == (2, "43.00", None)
    assert "sales" not in ask(f"customers/{ADA}", headers=as_customer(ADA)).json()
    assert ask(f"customers/{BOB}", headers=as_customer(ADA)).status_code == 404
    assert ask(f"customers/{unnamed['_id']}", headers=STAFF).status_code == 404


def test_stock(store: ReadStore, ask: Ask) -> None:
    store.put("stock", stock_item("B", 0), stock_item("A", 9), stock_item("C", 5), {"_id": new_id()})

    def skus(**asked: Any) -> list[str]:
        return [entry["sku"] for entry in ask("stock", headers=STAFF, **asked).json()["results"]]

    assert skus() == ["A", "B", "C"]
    assert skus(low="true") == ["B", "C"]
    assert skus(low="true", threshold="4") == ["B"]
    assert skus(low="false") == ["A"]
    assert skus(sku="A") == ["A"]
    assert ask("stock", headers=STAFF, threshold="4").status_code == 400
    assert ask("stock", headers=STAFF, limit="1").json()["results"][0]["on_hand"] == 10


@pytest.mark.parametrize(
    "path",
    [
        "customers",
        "stock",
        "reports/sales?from=2026-01-01&to=2026-01-02",
        "reports/best-sellers?from=2026-01-01&to=2026-01-02",
        "products?status=any",
        f"orders?customer={ADA}",
    ],
)
def test_outsiders_do_not_see_what_is_for_the_staff(ask: Ask, path: str) -> None:
    assert ask(f"/api/v1/{path}").status_code == 401
    assert ask(f"/api/v1/{path}", headers={"Authorization": "Bearer x"}).status_code == 401
    assert ask(f"/api/v1/{path}", headers=as_customer(ADA)).status_code == 403
    assert ask(f"/api/v1/{path}", headers=STAFF).status_code == 200


@pytest.mark.parametrize("path", ["me", "orders", f"customers/{ADA}"])
def test_outsiders_must_log_in(ask: Ask, path: str) -> None:
    answer = ask(path)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")


def test_a_document_without_its_section_does_not_exist(store: ReadStore, ask: Ask) -> None:
    bare = new_id()
    for name in ("orders", "carts", "customers", "products"):
        live_collection(name).insert_one({"_id": bare, "late": [], "at": datetime.now(UTC)})
        assert ask(f"{name}/{bare}", headers=STAFF).status_code == 404
