"""Customers, carts and orders over HTTP: a shopper's way, a guest's way, and what is refused with which pointer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.core.cache import cache
from django.test import Client

from acme.identity import Role
from acme.token import decode_token
from commands.customers.set_staff import SetStaff, set_staff
from tests.integration.commands.shop import everything, run, stocked
from tests.integration.http.conftest import Send, bearer

pytestmark = pytest.mark.django_db
ADA = {"email": "ada@example.org", "password": "correct-horse", "name": "Ada"}


@pytest.fixture(autouse=True)
def fresh(settings: Any) -> Iterator[None]:
    """A fast hasher, and no failed logins counted."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    cache.clear()
    yield
    cache.clear()


def key() -> dict[str, str]:
    return {"idempotency_key": uuid4().hex}


@pytest.fixture
def guest() -> Send:
    """``guest(method, path, body, **headers)``: like `send`, but without an access token."""

    def request(method: str, path: str, body: Any = None, **headers: str) -> Any:
        client = Client(raise_request_exception=False)
        return client.generic(
            method, f"/api/v1/{path}", json.dumps(body or {}), content_type="application/json", headers=headers
        )

    return request


def login(guest: Send, password: str = ADA["password"]) -> Any:
    return guest("POST", "auth/login", {"email": ADA["email"], "password": password})


def test_a_shopper_registers_logs_in_and_buys(guest: Send) -> None:
    stocked("MUG", price=1250)
    registered = guest("POST", "customers", ADA)
    assert registered.status_code == 201
    customer = registered.json()["id"]
    assert registered["Location"] == f"/api/v1/customers/{customer}"
    tokens = login(guest)
    assert (tokens.status_code, set(tokens.json()), tokens["Cache-Control"]) == (200, {"access", "refresh"}, "no-store")
    refreshed = guest("POST", "auth/refresh", {"refresh": tokens.json()["refresh"]}).json()
    me = {"authorization": f"Bearer {refreshed['access']}"}

    changed = guest("PATCH", f"customers/{customer}", {"country": "ie"}, if_match='"1"', **me)
    assert (changed.status_code, changed["ETag"]) == (200, '"2"')
    cart = guest("POST", "carts", **me).json()
    assert set(cart) == {"id", "version"}
    added = guest("POST", f"carts/{cart['id']}/add-line", {"sku": "MUG", "quantity": 2}, **me)
    assert (added.status_code, added.json()["version"]) == (200, 2)
    order = guest("POST", "orders", {"cart_id": cart["id"]}, **me, **key())
    assert (order.status_code, order.json()["total"]) == (201, {"amount_minor": 2500, "currency": "GBP"})
    written = {(item.aggregate_type, item.version) for item in decode_token(order["Consistency-Token"])}
    assert written == {("order", 1), ("cart", 3), ("stock_item", 2)}
    place = f"orders/{order.json()['id']}"
    paid = guest("POST", f"{place}/pay", {"amount": {"amount_minor": 2500, "currency": "GBP"}}, **me, **key())
    assert (paid.json()["status"], paid.json()["payment_status"]) == ("confirmed", "full")
    assert guest("POST", f"{place}/ship", **me, **key()).status_code == 403


def test_a_guest_buys_with_the_carts_token_and_staff_ship(guest: Send, send: Send) -> None:
    stocked("MUG", price=1250)
    cart = guest("POST", "carts").json()
    me = {"guest_token": cart["token"]}
    guest("POST", f"carts/{cart['id']}/add-line", {"sku": "MUG", "quantity": 3}, **me)
    guest("POST", f"carts/{cart['id']}/change-line", {"sku": "MUG", "quantity": 1}, **me)
    order = guest("POST", "orders", {"cart_id": cart["id"], "email": "g@example.org"}, **me, **key()).json()
    assert "token" not in order
    amount = {"amount_minor": 1250, "currency": "GBP"}
    assert guest("POST", f"orders/{order['id']}/pay", {"amount": amount}, **key()).status_code == 401
    assert guest("POST", f"orders/{order['id']}/pay", {"amount": amount}, guest_token="x", **key()).status_code == 404
    assert guest("POST", f"orders/{order['id']}/pay", {"amount": amount}, **me, **key()).status_code == 200
    shipped = send("POST", f"orders/{order['id']}/ship", {"tracking": "RM1"}, **key())
    assert (shipped.status_code, shipped.json()["status"]) == (200, "completed")


def test_the_same_key_places_one_order_and_answers_the_same_token(guest: Send) -> None:
    stocked("MUG", on_hand=1)
    once = key()
    first, again = (guest("POST", "orders", {"lines": [{"sku": "MUG", "quantity": 1}]}, **once) for _ in range(2))
    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json() and first.json()["token"]


def test_staff_flag_over_http(guest: Send, send: Send) -> None:
    customer = guest("POST", "customers", ADA).json()["id"]
    body = {"is_staff": True}
    assert send("POST", f"customers/{customer}/set-staff", body).status_code == 403
    done = send("POST", f"customers/{customer}/set-staff", body, authorization=bearer(Role.SUPERUSER))
    assert (done.status_code, done.json()["version"]) == (200, 2)


def test_guessing_is_slowed_down_and_right_logins_are_not_counted(guest: Send) -> None:
    guest("POST", "customers", ADA)
    assert {login(guest).status_code for _ in range(12)} == {200}
    assert [login(guest, "wrong").status_code for _ in range(11)] == [401] * 10 + [429]
    refused = login(guest)
    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-requests")
    assert int(refused["Retry-After"]) > 0
    other = guest("POST", "auth/login", {"email": "other@example.org", "password": "x"})
    assert (other.status_code, other.json()["code"]) == (401, "wrong-credentials")


def test_a_deactivated_role_is_gone_after_refresh(guest: Send) -> None:
    customer = guest("POST", "customers", ADA).json()["id"]
    run(set_staff, SetStaff(customer_id=customer, is_staff=True))
    tokens = login(guest).json()
    run(set_staff, SetStaff(customer_id=customer, is_staff=False))
    access = guest("POST", "auth/refresh", {"refresh": tokens["refresh"]}).json()["access"]
    assert guest("POST", "categories", {"name": "X"}, authorization=f"Bearer {access}").status_code == 403


BAD: list[tuple[str, dict[str, Any], int, str | None]] = [
    ("customers", {**ADA, "email": "ada"}, 400, "/email"),
    ("customers", {**ADA, "password": "1"}, 422, "/password"),
    ("customers", {**ADA, "name": 3}, 400, "/name"),
    ("customers", {**ADA, "is_staff": True}, 400, "/is_staff"),
    ("customers", {**ADA, "email": "a\u0000@example.org"}, 400, "/email"),
    ("auth/login", {"email": "a\u0000", "password": "x"}, 400, "/email"),
    ("auth/login", {"email": "a"}, 400, "/password"),
    ("auth/refresh", {"refresh": "nonsense"}, 401, None),
    ("carts", {"token": "mine"}, 400, "/token"),
    (f"carts/{UUID(int=7)}/add-line", {"sku": "MUG", "quantity": 1}, 401, None),
    ("carts/CART/add-line", {"sku": "MUG", "quantity": "1"}, 400, "/quantity"),
    ("carts/CART/add-line", {"sku": "MUG", "quantity": True}, 400, "/quantity"),
    ("carts/CART/add-line", {"sku": "MUG", "quantity": 10_000}, 400, "/quantity"),
    ("carts/CART/add-line", {"sku": "NONE", "quantity": 1}, 409, "/sku"),
    ("carts/CART/remove-line", {"sku": "MUG"}, 404, "/sku"),
    ("orders", {}, 422, ""),
    ("orders", {"lines": []}, 400, "/lines"),
    ("orders", {"lines": [{"sku": "MUG", "quantity": 0}]}, 400, "/lines/0/quantity"),
    ("orders", {"lines": [{"sku": "MUG", "quantity": 1, "price": 1}]}, 400, "/lines/0/price"),
    ("orders", {"lines": [{"sku": "MUG", "quantity": 11}]}, 409, "/lines/0/sku"),
    ("orders", {"lines": [{"sku": "MUG", "quantity": 1}], "currency": "XXY"}, 400, "/currency"),
    ("orders", {"lines": [{"sku": "MUG", "quantity": 1}], "email": "x"}, 400, "/email"),
    ("orders", {"cart_id": "1"}, 400, "/cart_id"),
    ("orders/ORDER/pay", {"amount": {"amount_minor": -1, "currency": "GBP"}}, 400, "/amount/amount_minor"),
    ("orders/ORDER/pay", {"amount": {"amount_minor": 1.5, "currency": "GBP"}}, 400, "/amount/amount_minor"),
    ("orders/ORDER/pay", {"amount": {"amount_minor": 0, "currency": "GBP"}}, 422, "/amount/amount_minor"),
    ("orders/ORDER/pay", {"amount": {"amount_minor": 1, "currency": "EUR"}}, 422, "/amount/currency"),
    ("orders/ORDER/pay", {"amount": {"amount_minor": 2**62, "currency": "GBP"}}, 409, "/amount/amount_minor"),
    ("orders/ORDER/pay", {"amount": {"amount_minor": 2**63, "currency": "GBP"}}, 400, "/amount/amount_minor"),
    ("orders/ORDER/cancel", {}, 400, "/reason"),
    ("orders/ORDER/ship", {}, 401, None),
    ("orders/1/cancel", {"reason": "x"}, 404, None),
]


@pytest.mark.parametrize(("path", "body", "status", "pointer"), BAD)
def test_bad_input_is_named_and_changes_nothing(
    guest: Send, path: str, body: dict[str, Any], status: int, pointer: str | None
) -> None:
    stocked("MUG")
    cart = guest("POST", "carts").json()
    order = guest("POST", "orders", {"lines": [{"sku": "MUG", "quantity": 1}]}, **key()).json()
    opens = {"CART": cart["token"], "ORDER": order["token"]}
    token = next((token for name, token in opens.items() if name in path), None)
    headers = {} if token is None else {"guest_token": token}
    before = everything()
    response = guest("POST", path.replace("CART", cart["id"]).replace("ORDER", order["id"]), body, **headers, **key())
    problem = response.json()
    assert (response.status_code, response["Content-Type"]) == (status, "application/problem+json"), problem
    if pointer is not None:
        assert pointer in [error.get("pointer") for error in problem["errors"]]
    assert everything() == before
