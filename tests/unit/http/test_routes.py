"""One address, two sides: the method chooses, whatever each side calls its parameters."""

from __future__ import annotations

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.test import Client
from django.urls import re_path

from acme.api import url_patterns
from acme.http.problems import not_found
from acme.http.routes import Route

IDENTIFIER = "018f0000-0000-7000-8000-000000000000"


def _view(name: str) -> Any:
    def view(request: HttpRequest, **values: Any) -> HttpResponse:
        return JsonResponse({"view": name, **values})

    return view


ROUTES = [
    Route("things/<uuid:id>", "PATCH", _view("change")),
    Route("things", "POST", _view("create")),
    Route("things/<uuid:id>/close", "POST", _view("close")),
    Route("things/<str:id_or_slug>", "GET", _view("detail")),
    Route("things", "GET", _view("list")),
    Route("things/suggest", "GET", _view("suggest")),
    Route("stock/<sku>/receive", "POST", _view("receive")),
]
urlpatterns = [*url_patterns(ROUTES), re_path(r"^api(/|$)", not_found)]
handler404 = "acme.http.problems.not_found"

pytestmark = pytest.mark.urls(__name__)


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        ("GET", "things", {"view": "list"}),
        ("POST", "things", {"view": "create"}),
        ("GET", "things/blue-mug", {"view": "detail", "id_or_slug": "blue-mug"}),
        ("GET", "things/suggest", {"view": "suggest"}),
        ("PATCH", f"things/{IDENTIFIER}", {"view": "change", "id": IDENTIFIER}),
        ("PATCH", f"things/{IDENTIFIER.upper()}", {"view": "change", "id": IDENTIFIER}),
        ("POST", f"things/{IDENTIFIER}/close", {"view": "close", "id": IDENTIFIER}),
        ("POST", "stock/85123A%20%C3%A9/receive", {"view": "receive", "sku": "85123A é"}),
    ],
)
def test_the_method_chooses_the_side(client: Client, method: str, path: str, answer: dict[str, Any]) -> None:
    response = client.generic(method, f"/api/v1/{path}")
    assert (response.status_code, response.json()) == (200, answer)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("DELETE", "things", "GET, HEAD, OPTIONS, POST"),
        ("PUT", f"things/{IDENTIFIER}", "GET, HEAD, OPTIONS, PATCH"),
        ("GET", f"things/{IDENTIFIER}/close", "OPTIONS, POST"),
        ("BREW", "things", "GET, HEAD, OPTIONS, POST"),
    ],
)
def test_other_methods_are_told_which_ones_there_are(client: Client, method: str, path: str, allow: str) -> None:
    response = client.generic(method, f"/api/v1/{path}")
    assert (response.status_code, response["Allow"]) == (405, allow)
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "method-not-allowed"


def test_options_and_head(client: Client) -> None:
    response = client.options("/api/v1/things")
    assert (response.status_code, response["Allow"]) == (204, "GET, HEAD, OPTIONS, POST")
    assert client.head("/api/v1/things").status_code == 200


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/nothing"),
        ("POST", "/api/v1/"),
        ("GET", "/api"),
        ("GET", "/api/v1/things/"),
        ("PATCH", "/api/v1/things/17"),
        ("POST", "/api/v1/things/17/close"),
        ("POST", "/api/v1/stock/a%00b/receive"),
        ("POST", "/api/v1/stock/a%0Ab/receive"),
        ("GET", "/api/v1/things/%FF%FE/x"),
        ("GET", "/api/v2/things"),
    ],
)
def test_addresses_that_nobody_answers(client: Client, method: str, path: str) -> None:
    response = client.generic(method, path)
    assert (response.status_code, response["Content-Type"]) == (404, "application/problem+json")
    assert response.json()["code"] == "not-found"
    assert response.json()["request_id"] == response["X-Request-Id"]


def test_an_address_may_be_listed_once_for_a_method() -> None:
    with pytest.raises(ValueError, match="twice"):
        url_patterns([*ROUTES, Route("things/<slug:other>", "GET", _view("other"))])
