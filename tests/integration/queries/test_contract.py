"""What every query owes: answers as the OpenAPI document says, the same headers, and no 5xx but for a missing store."""

from __future__ import annotations

import dataclasses
from typing import Any

import jsonschema
import pytest
from drf_spectacular.generators import SchemaGenerator

from acme.env import env
from queries.api.routes import ROUTES
from queries.documents import connection
from tests.integration.queries.conftest import STAFF, Ask, ReadStore, as_customer
from tests.integration.queries.documents import (
    cart,
    cart_line,
    category,
    customer,
    order,
    product,
    sales_day,
    stock_item,
)

DAYS = "?from=2026-01-01&to=2026-01-31"


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """With `nullable` of OpenAPI 3.0 as JSON schema says it."""
    document = SchemaGenerator().get_schema(request=None, public=True)
    translated: dict[str, Any] = _translated(document)
    return translated


def _translated(part: Any) -> Any:
    if isinstance(part, list):
        return [_translated(item) for item in part]
    if not isinstance(part, dict):
        return part
    found = {key: _translated(value) for key, value in part.items() if key != "nullable"}
    return {"anyOf": [found, {"type": "null"}]} if part.get("nullable") is True else found


@pytest.fixture
def addresses(store: ReadStore) -> dict[str, tuple[str, dict[str, str]]]:
    """Path of each route → an address of something that exists, and who may see it."""
    home = category("Home")
    mugs = category("Mugs", parent_id=home["_id"])
    mug = product("Mug", category_id=mugs["_id"], description="For tea.")
    ada = customer("Ada")
    me = as_customer(ada["_id"])
    mine, bought = cart(cart_line(mug, quantity=1, unit_price=9), customer_id=ada["_id"]), order(customer_id=ada["_id"])
    item = stock_item("MUG", 3)
    store.put("categories", home, mugs)
    store.put("products", mug, product("Bare", price=None))
    store.put("customers", ada)
    store.put("carts", mine)
    store.put("orders", bought, order(token_hash="x"))
    store.put("stock", item)
    store.put("sales_by_day", sales_day("2026-01-01", orders=1, gross=5, units=1))
    store.put("sales_by_day", sales_day("2026-01-01", "product", "MUG", orders=1, gross=5, units=1))
    return {
        "products": ("products", {}),
        "products/<str:id>": ("products/mug", {}),
        "categories": ("categories", {}),
        "categories/<str:id>": ("categories/mugs", {}),
        "carts/<uuid:id>": (f"carts/{mine['_id']}", me),
        "orders": ("orders", STAFF),
        "orders/<uuid:id>": (f"orders/{bought['_id']}", me),
        "me": ("me", me),
        "customers": ("customers", STAFF),
        "customers/<uuid:id>": (f"customers/{ada['_id']}", STAFF),
        "stock": ("stock", STAFF),
        "reports/sales": (f"reports/sales{DAYS}", STAFF),
        "reports/best-sellers": (f"reports/best-sellers{DAYS}", STAFF),
    }


@pytest.mark.parametrize("path", [route.path for route in ROUTES])
def test_answers_as_documented(
    schema: dict[str, Any], addresses: dict[str, tuple[str, dict[str, str]]], ask: Ask, path: str
) -> None:
    address, headers = addresses[path]
    answer = ask(f"/api/v1/{address}", headers=headers)
    assert answer.status_code == 200, answer.content
    operation = schema["paths"]["/api/v1/" + path.replace("<str:id>", "{id}").replace("<uuid:id>", "{id}")]["get"]
    shape = operation["responses"]["200"]["content"]["application/json"]["schema"]
    validator = jsonschema.Draft202012Validator({**shape, "components": schema["components"]})
    errors = [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(answer.json())]
    assert errors == []
    assert members(answer.json()) <= declared(shape, schema)
    assert answer["As-Of"].endswith("Z")
    assert "Authorization" in answer["Vary"]
    assert {"As-Of", "Consistency"} <= set(operation["responses"]["200"]["headers"])
    if "304" in operation["responses"]:
        again = ask(f"/api/v1/{address}", headers={**headers, "If-None-Match": answer["ETag"]})
        assert (again.status_code, again.content) == (304, b"")


def members(answer: Any) -> set[str]:
    """All names in an answer."""
    if isinstance(answer, list):
        return set().union(*(members(item) for item in answer))
    if isinstance(answer, dict):
        return set(answer).union(*(members(value) for value in answer.values()))
    return set()


def declared(shape: Any, schema: dict[str, Any], seen: frozenset[str] = frozenset()) -> set[str]:
    """All names that a shape allows."""
    if isinstance(shape, list):
        return set().union(*(declared(item, schema, seen) for item in shape))
    if not isinstance(shape, dict):
        return set()
    reference = shape.get("$ref")
    if isinstance(reference, str):
        name = reference.rpartition("/")[2]
        return set() if name in seen else declared(schema["components"]["schemas"][name], schema, seen | {name})
    own = set(shape["properties"]) if isinstance(shape.get("properties"), dict) else set()
    return own.union(*(declared(value, schema, seen) for value in shape.values()))


@pytest.mark.parametrize("path", [route.path for route in ROUTES])
def test_an_unknown_parameter_or_a_bad_header_is_refused(
    addresses: dict[str, tuple[str, dict[str, str]]], ask: Ask, path: str
) -> None:
    address, headers = addresses[path]
    mark = "&" if "?" in address else "?"
    unknown = ask(f"/api/v1/{address}{mark}colour=red", headers=headers)
    assert unknown.status_code == 400
    assert unknown.json()["errors"][0]["parameter"] == "colour"
    assert ask(f"/api/v1/{address}", headers={**headers, "Consistency-Token": "!"}).status_code == 400
    assert ask(f"/api/v1/{address}", headers={**headers, "Authorization": "Bearer no"}).status_code == 401
    assert ask(f"/api/v1/{address}", headers={**headers, "Accept": "text/html"}).status_code == 406


@pytest.mark.parametrize("path", [route.path for route in ROUTES])
def test_a_store_out_of_reach_is_a_503(
    addresses: dict[str, tuple[str, dict[str, str]]], ask: Ask, path: str, store: ReadStore, monkeypatch: Any
) -> None:
    address, headers = addresses[path]
    store.forget()
    nobody = "mongodb://127.0.0.1:9/acme?serverSelectionTimeoutMS=50&connectTimeoutMS=50"
    with monkeypatch.context() as patch:
        patch.setattr(connection, "env", dataclasses.replace(env, mongodb_url=nobody))
        patch.setattr(connection.mongoengine, "connect", _quickly(connection.mongoengine.connect))
        connection.reset_connection()
        answer = ask(f"/api/v1/{address}", headers=headers)
    connection.reset_connection()
    store.forget()
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert (answer["Retry-After"], answer["As-Of"]) == ("1", "unknown")


def _quickly(connect: Any) -> Any:
    """The real connection, which gives up sooner."""
    return lambda **options: connect(**{**options, "serverSelectionTimeoutMS": 50})
