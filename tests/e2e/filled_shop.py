"""A running shop with a little of everything in it, and one good request for every address that takes commands."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import httpx
import psycopg

from tests.stack import ADMIN, Stack

SHOPPER = {"email": "shopper@example.org", "password": "a-shopper-of-the-tests-7"}
PRICE = {"amount_minor": 1299, "currency": "GBP"}
TOKEN_SECONDS = 120  # after which we log in anew


@dataclass
class FilledShop:
    """Client, ids of what there is, and the token of the last write."""

    stack: Stack
    client: httpx.Client
    ids: dict[str, str] = field(default_factory=dict)
    consistency: str = ""
    _tokens: dict[str, tuple[float, str]] = field(default_factory=dict)

    def token(self, who: dict[str, str] = ADMIN) -> str:
        """A fresh enough access token."""
        issued, access = self._tokens.get(who["email"], (0.0, ""))
        if time.monotonic() - issued > TOKEN_SECONDS:
            answer = self.client.post("auth/login", json={"email": who["email"], "password": who["password"]})
            access = answer.raise_for_status().json()["access"]
            self._tokens[who["email"]] = (time.monotonic(), access)
        return access

    def headers(self, who: dict[str, str] | None = ADMIN, **more: str) -> dict[str, str]:
        """Headers of a request, with a new Idempotency-Key."""
        own = {"Idempotency-Key": uuid4().hex}
        return own | ({"Authorization": f"Bearer {self.token(who)}"} if who else {}) | more

    def write(self, path: str, body: Any, **headers: str) -> dict[str, Any]:
        """A command that must succeed, as staff."""
        answer = self.client.post(path, json=body, headers=self.headers(**headers))
        assert answer.is_success, answer.text
        self.consistency = answer.headers["Consistency-Token"]
        return answer.json()

    def state(self) -> tuple[int, int]:
        """How many events there are, and how many requests hold their key; bad input may change neither."""
        with psycopg.connect(self.stack.urls["DATABASE_URL"]) as link:
            events = link.execute("SELECT count(*) FROM domain_event").fetchone()
            running = link.execute("SELECT count(*) FROM idempotent_request WHERE status IS NULL").fetchone()
        return (events or (0,))[0], (running or (0,))[0]


def fill(stack: Stack) -> FilledShop:
    """One of everything, through the API."""
    shop = FilledShop(stack, httpx.Client(base_url=f"{stack.base_url}/api/v1/", timeout=30))
    registered = shop.client.post("customers", json={**SHOPPER, "name": "Shopper"})
    assert registered.status_code == 201, registered.text
    ids = shop.ids
    ids["customer"] = registered.json()["id"]
    ids["category"] = shop.write("categories", {"name": "Mugs"})["id"]
    product = {"name": "Blue mug", "category_id": ids["category"], "publish": True}
    ids["product"] = shop.write("products", {**product, "variants": [{"sku": "MUG", "price": PRICE}]})["id"]
    shop.write("stock/MUG/receive", {"quantity": 100})
    ids["cart"] = shop.write("carts", {})["id"]
    shop.write(f"carts/{ids['cart']}/add-line", {"sku": "MUG", "quantity": 1})
    ids["order"] = shop.write("orders", {"lines": [{"sku": "MUG", "quantity": 2}], "email": "a@b.example"})["id"]
    return shop


def good_bodies() -> dict[tuple[str, str], dict[str, Any]]:
    """(method, path of the route) → a body with every member, each of a right type."""
    line = {"sku": "MUG", "quantity": 1}
    text = "a reason"
    return {
        ("POST", "auth/login"): dict(SHOPPER),
        ("POST", "auth/refresh"): {"refresh": "x"},
        ("POST", "customers"): {"email": "b@example.org", "password": "long-enough-9", "name": "B", "country": "GB"},
        ("PATCH", "customers/<uuid:id>"): {"name": "C", "country": "IE"},
        ("POST", "customers/<uuid:id>/set-staff"): {"is_staff": True},
        ("POST", "categories"): {"name": "Cups", "slug": "cups", "parent_id": None},
        ("PATCH", "categories/<uuid:id>"): {"name": "Cups", "slug": "cups"},
        ("POST", "categories/<uuid:id>/move"): {"parent_id": None},
        ("POST", "products"): {
            "name": "Red mug",
            "slug": "red-mug",
            "description": "red",
            "brand": "ACME",
            "category_id": None,
            "variants": [{"sku": "RED", "name": "Red", "price": PRICE}],
            "publish": True,
        },
        ("PATCH", "products/<uuid:id>"): {"name": "M", "description": "d", "brand": "b", "slug": "m"},
        ("POST", "products/<uuid:id>/categorise"): {"category_id": None},
        ("POST", "products/<uuid:id>/add-variant"): {"sku": "BIG", "name": "Big", "price": PRICE},
        ("POST", "products/<uuid:id>/remove-variant"): {"sku": "MUG"},
        ("POST", "products/<uuid:id>/set-price"): {"sku": "MUG", "price": PRICE},
        ("POST", "products/<uuid:id>/publish"): {},
        ("POST", "products/<uuid:id>/unpublish"): {},
        ("POST", "products/<uuid:id>/archive"): {},
        ("POST", "stock/<str:sku>/receive"): {"quantity": 1, "reference": "r"},
        ("POST", "stock/<str:sku>/adjust"): {"quantity_change": -1, "reason": text},
        ("POST", "carts"): {},
        ("POST", "carts/<uuid:id>/add-line"): line,
        ("POST", "carts/<uuid:id>/change-line"): line,
        ("POST", "carts/<uuid:id>/remove-line"): {"sku": "MUG"},
        ("POST", "orders"): {"lines": [line], "currency": "GBP", "country": "GB", "email": "a@b.example", "name": "A"},
        ("POST", "orders/<uuid:id>/cancel"): {"reason": text},
        ("POST", "orders/<uuid:id>/pay"): {"amount": PRICE, "reference": "r"},
        ("POST", "orders/<uuid:id>/ship"): {"lines": [line], "tracking": "t"},
    }


#: First segment of an address → which id fills its parameter.
OWN_ID = {
    "customers": "customer",
    "categories": "category",
    "products": "product",
    "carts": "cart",
    "orders": "order",
}
