"""What every command view does with a request, on real PostgreSQL."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import OperationalError

from acme.identity import Role
from acme.token import Written, decode_token
from commands.catalog.models import Category
from commands.outbox.models import DomainEvent
from tests.integration.http.conftest import Send, bearer
from tests.integration.http.small_shop import Hooks

pytestmark = [pytest.mark.django_db, pytest.mark.urls("tests.integration.http.small_shop")]


def refused(response: Any, status: int, code: str) -> dict[str, Any]:
    """Checks that it is a complete problem document and that nothing was recorded."""
    document = response.json()
    assert (response.status_code, document["code"]) == (status, code), document
    assert response["Content-Type"] == "application/problem+json"
    assert document["status"] == status
    assert document["type"] == f"/problems/{code}"
    assert document["title"]
    assert document["detail"]
    assert document["request_id"] == response["X-Request-Id"]
    assert "Consistency-Token" not in response
    return document


@pytest.fixture
def category(send: Send) -> str:
    return send("POST", "categories", {"name": "Mugs"}).json()["id"]


def test_a_created_thing_is_answered_with_its_headers(send: Send) -> None:
    response = send(
        "POST", "categories", {"name": "Mugs"}, x_request_id="req-1", traceparent=f"00-{'a' * 32}-{'b' * 16}-01"
    )
    body = response.json()
    assert response.status_code == 201
    assert list(body) == ["id", "version", "slug", "at"]
    assert body["at"].endswith("Z")
    assert response["ETag"] == '"1"'
    assert response["Location"] == f"/api/v1/categories/{body['id']}"
    assert response["X-Request-Id"] == "req-1"
    assert decode_token(response["Consistency-Token"]) == [Written("category", UUID(body["id"]), 1)]
    metadata = DomainEvent.objects.get().metadata
    assert metadata["correlation_id"] == "req-1"
    assert metadata["traceparent"].startswith("00-aaaa")


@pytest.mark.parametrize("unsafe", ["", "a b", "x" * 65, "<script>", "é"])
def test_an_unsafe_request_id_is_replaced(send: Send, unsafe: str) -> None:
    response = send("POST", "categories", {"name": "Mugs"}, x_request_id=unsafe)
    assert UUID(response["X-Request-Id"])


@pytest.mark.parametrize("header", ['"1"', 'W/"1"', '"1-abc"', "*"])
def test_a_change_needs_the_current_version(send: Send, category: str, header: str) -> None:
    response = send("PATCH", f"categories/{category}", {"name": "Cups"}, if_match=header)
    assert (response.status_code, response["ETag"], response.json()["version"]) == (200, '"2"', 2)
    assert "Location" not in response


def test_versions_that_are_stale_missing_or_malformed(send: Send, category: str) -> None:
    path = f"categories/{category}"
    refused(send("PATCH", path, {"name": "Cups"}, if_match='"7"'), 412, "stale-version")
    refused(send("PATCH", path, {"name": "Cups"}), 428, "version-required")
    document = refused(send("PATCH", path, {"name": "Cups"}, if_match="7"), 400, "header-invalid")
    assert document["errors"][0]["header"] == "If-Match"
    assert Category.objects.get(id=category).name == "Mugs"
    assert DomainEvent.objects.count() == 1


def test_who_may_not(send: Send, category: str) -> None:
    path = f"categories/{category}"
    response = send("PATCH", path, {"name": "Cups"}, if_match='"1"', authorization="Bearer x")
    refused(response, 401, "token-invalid")
    assert response["WWW-Authenticate"] == "Bearer"
    response = send("PATCH", path, {"name": "Cups"}, if_match='"1"', authorization=bearer(Role.CUSTOMER))
    refused(response, 403, "forbidden")
    assert DomainEvent.objects.count() == 1


def test_without_token(send: Send, category: str, client: Any) -> None:
    response = client.patch(f"/api/v1/categories/{category}", "{}", content_type="application/json")
    refused(response, 401, "not-authenticated")
    assert response["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        (b"{", "malformed-body", None),
        (b"[]", "malformed-body", None),
        (b'"x"', "malformed-body", None),
        (b"\xff", "malformed-body", None),
        (b'{"name":"a","name":"b"}', "malformed-body", None),
        (b'{"name":NaN}', "malformed-body", None),
        (b'{"name":' * 5000, "malformed-body", None),
        (b"", "invalid-body", "/name"),
        (b"{}", "invalid-body", "/name"),
        (b'{"name":3}', "invalid-body", "/name"),
        (b'{"name":null}', "invalid-body", "/name"),
        (b'{"name":"a\\u0000b"}', "invalid-body", "/name"),
        (b'{"name":"a","colour":1}', "invalid-body", "/colour"),
        (b'{"name":"' + b"x" * 101 + b'"}', "invalid-body", "/name"),
    ],
)
def test_malformed_bodies_name_the_member(send: Send, body: bytes, code: str, pointer: str | None) -> None:
    document = refused(send("POST", "categories", body), 400, code)
    assert [error["pointer"] for error in document["errors"]] == ([pointer] if pointer else [])
    assert not DomainEvent.objects.exists()


@pytest.mark.parametrize(
    "kind",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "",
        "application/json; charset=latin-1",
        "x",
    ],
)
def test_other_content_types_are_refused(send: Send, kind: str) -> None:
    refused(send("POST", "categories", b'{"name":"a"}', content_type=kind), 415, "unsupported-media-type")


def test_a_charset_of_utf8_is_fine(send: Send) -> None:
    body = '{"name":"Bücher"}'.encode()
    assert send("POST", "categories", body, content_type="application/json; charset=UTF-8").json()["version"] == 1


def test_oversized_bodies_are_refused(send: Send, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    refused(send("POST", "categories", b'{"name":"' + b"x" * 1000 + b'"}'), 413, "body-too-big")
    exact = b'{"name":"a"}'.ljust(1000)
    assert send("POST", "categories", exact).status_code == 201
    refused(send("POST", "categories", exact + b" "), 413, "body-too-big")


def test_a_body_of_unknown_length_is_refused(send: Send) -> None:
    """Django reads no chunked body: without this it would count as empty."""
    from django.test import RequestFactory

    from tests.integration.http.small_shop import MakeUnnamedView

    request = RequestFactory().post("/", headers={"transfer-encoding": "chunked"}, content_type="application/json")
    del request.META["CONTENT_LENGTH"]
    request.request_id = "r"
    response = MakeUnnamedView.as_view()(request)
    assert (response.status_code, response.data["code"]) == (411, "length-required")


def test_a_missing_body_is_an_empty_one(send: Send) -> None:
    assert send("POST", "unnamed", b"", content_type="").status_code == 201


def test_query_parameters_are_refused(send: Send) -> None:
    document = refused(send("POST", "categories?dry_run=1&dry_run=2", {"name": "a"}), 400, "invalid-parameter")
    assert document["errors"][0]["parameter"] == "dry_run"


def test_an_answer_that_nobody_accepts(send: Send) -> None:
    refused(send("POST", "categories", {"name": "a"}, accept="text/csv"), 406, "not-acceptable")


def test_unknown_things(send: Send) -> None:
    document = refused(send("PATCH", f"categories/{uuid4()}", {"name": "a"}, if_match='"1"'), 404, "not-found")
    assert "category" in document["detail"]
    refused(send("PATCH", "categories/7", {"name": "a"}, if_match='"1"'), 404, "not-found")


def test_rules_of_the_handler_name_the_member(send: Send) -> None:
    document = refused(send("POST", "categories", {"name": "refused"}), 409, "refused")
    assert document["errors"] == [{"pointer": "/name", "detail": "this name is refused", "code": "refused"}]


def test_a_mistake_of_ours_shows_nothing_and_is_logged(send: Send, caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise RuntimeError("secret 7")

    Hooks.inside = fail
    response = send("POST", "categories", {"name": "a"}, x_request_id="find-me")
    refused(response, 500, "internal-error")
    assert b"secret" not in response.content
    assert "find-me" in caplog.text
    assert "secret 7" in caplog.text
    assert not DomainEvent.objects.exists()


def test_an_engine_out_of_reach_is_a_503(send: Send) -> None:
    def fail() -> None:
        raise OperationalError("connection to server at 10.0.0.7 failed")

    Hooks.inside = fail
    response = send("POST", "categories", {"name": "a"})
    document = refused(response, 503, "unavailable")
    assert "10.0.0.7" not in str(document)
    assert int(response["Retry-After"]) > 0


def test_an_unencodable_answer_is_a_problem_too(send: Send, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commands.http.to_json", lambda value: object())
    refused(send("POST", "categories", {"name": "a"}), 500, "internal-error")
    assert not DomainEvent.objects.exists()
