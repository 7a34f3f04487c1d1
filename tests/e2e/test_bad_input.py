"""Bad input over every address of both sides of a running shop: a 4xx problem document that names what is wrong,
no 5xx, and nothing changed."""

from __future__ import annotations

import copy
import json
import re
import socket
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from acme.api import COMMAND_MODULES, QUERY_MODULES, routes
from acme.http.routes import Route
from tests.e2e.filled_shop import OWN_ID, SHOPPER, FilledShop, fill, good_bodies
from tests.stack import ADMIN, Stack

pytestmark = pytest.mark.timeout(600)
COMMANDS = [route for module in COMMAND_MODULES for route in routes(module)]
QUERIES = [route for module in QUERY_MODULES for route in routes(module)]
BODIES = good_bodies()
PROBLEM = {"type", "title", "status", "detail", "code", "request_id", "errors"}
WRONG_TYPES: list[Any] = [{"nonsense": 1}, [["x"]], 1.5, "\x00", -(10**30)]


@pytest.fixture(scope="module")
def shop() -> Iterator[FilledShop]:
    stack = Stack.start()
    try:
        shop = fill(stack)
        yield shop
        shop.client.close()
    finally:
        stack.close()


@pytest.fixture
def unchanged(shop: FilledShop) -> Iterator[None]:
    before = shop.state()
    yield
    assert shop.state() == before


def refused(answer: httpx.Response, status: int | None = None, **named: str) -> dict[str, Any]:
    """Checks a complete 4xx problem document that names the pointer, parameter or header at fault."""
    assert 400 <= answer.status_code < 500, (answer.request.url, answer.status_code, answer.text)
    assert answer.headers["Content-Type"] == "application/problem+json"
    document = answer.json()
    assert document.keys() >= PROBLEM
    assert document["status"] == answer.status_code
    assert document["request_id"] == answer.headers["X-Request-Id"]
    if status is not None:
        assert answer.status_code == status, answer.text
    for kind, name in named.items():
        assert any(error.get(kind, "").startswith(name) for error in document["errors"]), answer.text
    return document


def address(shop: FilledShop, route: Route, identifier: str | None = None) -> str:
    """The address of what there is, or of something else."""
    known = "MUG" if route.path.startswith("stock/") else shop.ids.get(OWN_ID.get(route.path.split("/")[0], ""), "")
    return re.sub(r"<[^>]+>", identifier or known, route.path)


def ask(
    shop: FilledShop,
    route: Route,
    body: Any,
    *,
    who: dict[str, str] | None = ADMIN,
    path: str = "",
    params: dict[str, str] | None = None,
    headers: dict[str, str | None] | None = None,
) -> httpx.Response:
    """The good request of a route with another body (bytes: as they are) or headers (None: without that one)."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    version = {"If-Match": '"1"'} if route.method == "PATCH" else {}
    all_headers = {"Content-Type": "application/json", **version, **shop.headers(who), **(headers or {})}
    kept = {name: value for name, value in all_headers.items() if value is not None}
    return shop.client.request(route.method, path or address(shop, route), content=content, headers=kept, params=params)


def name_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def good(route: Route) -> dict[str, Any]:
    return copy.deepcopy(BODIES[route.method, route.path])


def logs_in(route: Route) -> bool:
    """Logging in and refreshing are no commands: they know no actor, version or key."""
    return route.path.startswith("auth/")


commands = pytest.mark.parametrize("route", COMMANDS, ids=name_of)
queries = pytest.mark.parametrize("route", QUERIES, ids=name_of)


def test_every_command_has_a_good_request() -> None:
    assert {(route.method, route.path) for route in COMMANDS} == BODIES.keys()


@commands
@pytest.mark.usefixtures("unchanged")
def test_bodies_that_are_no_json_object(shop: FilledShop, route: Route) -> None:
    for body in (b"{", b"[]", b'"x"', b"\xff", b'{"a":NaN}', b'{"a":1,"a":2}', b'{"a":' * 20_000):
        assert refused(ask(shop, route, body), 400)["code"] == "malformed-body"
    refused(ask(shop, route, b'{"a":"' + b"x" * 1_100_000 + b'"}'), 413)
    refused(ask(shop, route, b"a=1", headers={"Content-Type": "text/plain"}), 415)


@commands
@pytest.mark.usefixtures("unchanged")
def test_members_that_are_unknown_missing_or_of_another_type(shop: FilledShop, route: Route) -> None:
    body = good(route)
    refused(ask(shop, route, {**body, "nonsense": 1}), 400, pointer="/nonsense")
    form = route.view.body()
    for name in form.fields:
        for value in WRONG_TYPES:
            refused(ask(shop, route, {**body, name: value}), 400, pointer=f"/{name}")
        if form.fields[name].required:
            without = {key: value for key, value in body.items() if key != name}
            refused(ask(shop, route, without), 400, pointer=f"/{name}")


def _inside(value: Any, pointer: str = "") -> Iterator[tuple[str, Any]]:
    """Every object in a body below the outermost, with its pointer."""
    if isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _inside(inner, f"{pointer}/{index}")
    elif isinstance(value, dict):
        if pointer:
            yield pointer, value
        for name, inner in value.items():
            yield from _inside(inner, f"{pointer}/{name}")


@commands
@pytest.mark.usefixtures("unchanged")
def test_members_of_members_are_checked_as_strictly(shop: FilledShop, route: Route) -> None:
    for pointer, inner in list(_inside(good(route))):
        for name, value in [*((name, {"x": 1}) for name in inner), ("nonsense", 1), ("amount_minor", -1)]:
            body = good(route)
            dict(_inside(body))[pointer][name] = value
            refused(ask(shop, route, body), 400, pointer=f"{pointer}/{name}")


@commands
@pytest.mark.usefixtures("unchanged")
def test_query_parameters_of_commands(shop: FilledShop, route: Route) -> None:
    refused(ask(shop, route, good(route), params={"nonsense": "1"}), 400, parameter="nonsense")


@commands
@pytest.mark.usefixtures("unchanged")
def test_tokens_that_are_wrong_missing_or_of_somebody_else(shop: FilledShop, route: Route) -> None:
    if logs_in(route):
        pytest.skip("needs no token")
    body, path = good(route), address(shop, route)
    for authorization in ("Bearer x", "Bearer a.b.c", "Basic YTpi", "Bearer", "x"):
        answer = ask(shop, route, body, headers={"Authorization": authorization})
        refused(answer, 401)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
    refused(ask(shop, route, body, headers={"Guest-Token": "a b"}), 400, header="Guest-Token")
    if route.view.public and "<" not in route.path:
        return
    stranger = ask(shop, route, body, who=None, headers={"Guest-Token": "x" * 43})
    assert refused(stranger)["status"] in ({401, 403, 404} if route.view.public else {401})
    if path != f"customers/{shop.ids['customer']}":  # that one is the shopper's own
        assert refused(ask(shop, route, body, who=SHOPPER))["status"] in {403, 404}


@commands
@pytest.mark.usefixtures("unchanged")
def test_headers_that_are_malformed_stale_or_missing(shop: FilledShop, route: Route) -> None:
    if logs_in(route):
        pytest.skip("knows no such header")
    body = good(route)
    for header in ("1", '"x"', '"1", "2"', ""):
        refused(ask(shop, route, body, headers={"If-Match": header}), 400, header="If-Match")
    for key in ("", "x" * 201):
        refused(ask(shop, route, body, headers={"Idempotency-Key": key}), 400, header="Idempotency-Key")
    if route.view.idempotency_required:
        refused(ask(shop, route, body, headers={"Idempotency-Key": None}), 400, header="Idempotency-Key")
    if route.view.version_required:
        refused(ask(shop, route, body, headers={"If-Match": None}), 428)
    if "<" in route.path:
        refused(ask(shop, route, body, headers={"If-Match": '"999"'}), 412)


@commands
@pytest.mark.usefixtures("unchanged")
def test_things_that_do_not_exist(shop: FilledShop, route: Route) -> None:
    if "<" not in route.path:
        pytest.skip("names nothing")
    for identifier in (str(uuid4()), "x", "%00", "%FF%FE", "9" * 500, "..%2F"):
        refused(ask(shop, route, good(route), path=address(shop, route, identifier)), 404)


@queries
def test_parameters_of_queries(shop: FilledShop, route: Route) -> None:
    headers = shop.headers()
    path = address(shop, route)
    operation = _operation(shop, route)
    names = [item["name"] for item in operation["parameters"] if item["in"] == "query"]
    refused(shop.client.get(path, params={"nonsense": "1"}, headers=headers), 400, parameter="nonsense")
    for name in names:
        twice = shop.client.get(path, params=[(name, "1"), (name, "1")], headers=headers)
        refused(twice, 400, parameter=name)
        for value in ("\x00", "\u202e", "'", "-1", "1e9", "NaN", "9" * 30, "x" * 3000, "", "{$gt:1}", "2010-13-45"):
            answer = shop.client.get(path, params={name: value}, headers=headers)
            if answer.status_code != 200:
                refused(answer)
        refused(shop.client.get(path, params={name: "\x00"}, headers=headers), 400, parameter=name)


def _operation(shop: FilledShop, route: Route) -> dict[str, Any]:
    if "document" not in shop.__dict__:
        accept = {"Accept": "application/vnd.oai.openapi+json"}
        shop.__dict__["document"] = httpx.get(f"{shop.stack.base_url}/api/schema", headers=accept, timeout=60).json()
    shown = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", route.path)
    operation: dict[str, Any] = shop.__dict__["document"]["paths"][f"/api/v1/{shown}"]["get"]
    return operation


@queries
def test_headers_of_queries(shop: FilledShop, route: Route) -> None:
    path = address(shop, route)
    for authorization in ("Bearer x", "Bearer a.b.c", "Basic YTpi"):
        refused(shop.client.get(path, headers={"Authorization": authorization}), 401)
    refused(shop.client.get(path, headers=shop.headers(**{"Guest-Token": "a b"})), 400, header="Guest-Token")
    for token in ("x", "é".encode(), "a" * 3000, "k9k"):
        answer = shop.client.get(path, headers=shop.headers(**{"Consistency-Token": token}))  # type: ignore[arg-type]
        refused(answer, 400, header="Consistency-Token")
    for name, value in (("Prefer", "wait=x"), ("Prefer", "wait=-1"), ("If-None-Match", "x"), ("Accept", "x/y")):
        answer = shop.client.get(path, headers=shop.headers(**{name: value}))
        if answer.status_code not in (200, 304):
            refused(answer)


@queries
def test_queries_of_things_that_do_not_exist(shop: FilledShop, route: Route) -> None:
    if "<" not in route.path:
        pytest.skip("names nothing")
    for identifier in (str(uuid4()), "x", "%00", "%FF%FE", "9" * 500, "$where"):
        refused(shop.client.get(address(shop, route, identifier), headers=shop.headers()), 404)


@queries
def test_queries_for_staff_or_owners(shop: FilledShop, route: Route) -> None:
    """Nobody sees more than they may: where a guest is answered at all, it is what everybody may see."""
    answer = shop.client.get(address(shop, route))
    if route.path.startswith(("products", "categories")):
        assert answer.status_code == 200
    else:
        assert refused(answer)["status"] in {401, 403, 404}


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "BREW"])
@pytest.mark.usefixtures("unchanged")
def test_other_methods(shop: FilledShop, method: str) -> None:
    answer = shop.client.request(method, "orders", headers=shop.headers())
    refused(answer, 405)
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS, POST"


@pytest.mark.parametrize(
    "path", ["/api/", "/api/v1/", "/api/v1/nothing", "/api/v1/orders/", "/api/v9/orders", "/api/v1/%00"]
)
def test_addresses_that_do_not_exist(shop: FilledShop, path: str) -> None:
    for method in ("GET", "POST"):
        refused(httpx.request(method, f"{shop.stack.base_url}{path}"), 404)


def test_another_host_is_refused(shop: FilledShop) -> None:
    refused(shop.client.get("products", headers={"Host": "evil.example"}), 400)


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET / HTP/1.1\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\r\n\r\n", 400),
        (b"GET /api/v1/products?q=" + b"x" * 9000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414),
        (b"GET /api/v1/products HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431),
        (b"GET /api/v1/products HTTP/1.1\r\nHost: localhost\r\nX Y: 1\r\n\r\n", 400),
        (b"POST /api/v1/carts HTTP/1.1\r\nHost: localhost\r\nContent-Length: -5\r\n\r\n", 400),
        (b"POST /api/v1/carts HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", 400),
        (
            b"POST /api/v1/carts HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
            411,
        ),
    ],
    ids=lambda value: value[:40].decode("latin-1") if isinstance(value, bytes) else str(value),
)
@pytest.mark.usefixtures("unchanged")
def test_requests_that_are_hardly_http(shop: FilledShop, request_: bytes, status: int) -> None:
    with socket.create_connection(("127.0.0.1", httpx.URL(shop.stack.base_url).port), timeout=20) as link:
        link.sendall(request_)
        link.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: link.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(f"HTTP/1.1 {status} ".encode()), answer
    assert b"application/problem+json" in head
    assert json.loads(body).keys() >= PROBLEM
