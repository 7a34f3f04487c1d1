"""Junk over every command route: a complete 4xx problem document and nothing recorded, never a 5xx."""

from __future__ import annotations

import json
import re
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rest_framework import serializers

from acme.api import COMMAND_MODULES, routes
from acme.http.fields import Boolean, Currency, Email, Identifier, Integer
from acme.http.routes import Route
from acme.identity import Role
from commands.outbox.models import DomainEvent, IdempotentRequest
from tests.integration.http.conftest import Send, bearer

pytestmark = pytest.mark.django_db

ROUTES = [route for module in COMMAND_MODULES for route in routes(module)]
NAMES = sorted({name for route in ROUTES for name in route.view.body().fields})
TEXTS = st.text(max_size=20) | st.sampled_from(
    ["", "\x00", "\ud800", "é", "x" * 10_000, "GBP", "a@b.example", "1", "null"]
)
LEAVES = (
    st.none()
    | st.booleans()
    | st.sampled_from([0, -1, 1, 2**31, 2**63, -(2**63), 10**30])
    | st.floats()
    | TEXTS
    | st.uuids().map(str)
)
JUNK = st.recursive(
    LEAVES,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NAMES, "sku", "x"]), inner, max_size=4)
    ),
    max_leaves=8,
)
BODIES = st.dictionaries(st.sampled_from([*NAMES, "x", "/", "__proto__"]), JUNK, max_size=5).map(
    lambda value: json.dumps(value).encode()
)
RAW = st.binary(max_size=60) | st.sampled_from([b"", b"[", b'{"a":1,"a":1}', b"null", b"[" * 3000, b"{}" * 2])
HEADERS = st.fixed_dictionaries(
    {"idempotency_key": st.uuids().map(str) | st.uuids().map(str) | st.sampled_from(["k", "", "x" * 201, "é"])},
    optional={
        "if_match": st.sampled_from(['"1"', "*", "1", '"x"', "", '"1", "2"', 'W/"9"']),
        "guest_token": st.sampled_from(["abc", "", "a b", "x" * 300]),
        "x_request_id": st.sampled_from(["a", "\t", "x" * 500]),
        "accept": st.sampled_from(["*/*", "text/html", "x"]),
        "traceparent": st.sampled_from(["", "00-x", f"00-{'0' * 32}-{'0' * 16}-00"]),
    },
)
TYPES = st.sampled_from([*["application/json"] * 8, "text/plain", "", "a/b; charset"])
SEGMENTS = st.uuids().map(str) | st.sampled_from(["x", "%00", "%FF", "-1", "é", "..", "%2F", "9" * 400])


def nearly_valid(form: serializers.BaseSerializer) -> st.SearchStrategy[Any]:
    """Bodies of the declared shape whose members are mostly right, so that handlers are reached as well."""
    if isinstance(form, serializers.ListSerializer):
        return st.lists(nearly_valid(form.child), max_size=3)
    members = {name: right(field) | right(field) | JUNK for name, field in form.fields.items()}
    return st.fixed_dictionaries({}, optional=members) | st.fixed_dictionaries(members)


def right(field: serializers.Field) -> st.SearchStrategy[Any]:
    match field:
        case serializers.BaseSerializer():
            return nearly_valid(field)
        case Currency():
            return st.just("GBP")
        case Email():
            return st.sampled_from(["a@b.example", "ü@b.example"])
        case Integer():
            return st.integers(0, 5)
        case Boolean():
            return st.booleans()
        case Identifier():
            return st.uuids().map(str)
    return st.text(min_size=8, max_size=30) | st.sampled_from(["abc", "A-1"])


def address(route: Route, segments: list[str]) -> str:
    rest = iter(segments)
    return re.sub(r"<[^>]+>", lambda _: next(rest), route.path)


def authorization(who: str) -> str:
    return {
        "staff": bearer(Role.STAFF),
        "super": bearer(Role.SUPERUSER),
        "junk": "Bearer junk",
        "shopper": bearer(Role.CUSTOMER),
    }[who]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    data=st.data(),
    headers=HEADERS,
    kind=TYPES,
    segments=st.lists(SEGMENTS, min_size=2, max_size=2),
    who=st.sampled_from(["staff", "staff", "super", "shopper", "junk"]),
)
def test_junk(
    send: Send, route: Route, data: st.DataObject, headers: dict[str, str], kind: str, segments: list[str], who: str
) -> None:
    meant = nearly_valid(route.view.body()).map(lambda value: json.dumps(value).encode())
    body = data.draw(st.one_of(meant, meant, meant, BODIES, RAW))
    before = DomainEvent.objects.count()
    headers = {**headers, "authorization": authorization(who)}
    response = send(route.method, address(route, segments), body, content_type=kind, **headers)
    if response.status_code < 300:  # the draw happened to be a good request
        if "Idempotent-Replayed" not in response and "auth/" not in route.path:
            assert DomainEvent.objects.count() > before
        return
    check_refusal(response)
    assert DomainEvent.objects.count() == before
    assert not IdempotentRequest.objects.filter(status=None).exists()


def check_refusal(response: Any) -> None:
    document = response.json()
    assert 400 <= response.status_code < 500, document
    assert response["Content-Type"] == "application/problem+json"
    assert document["status"] == response.status_code
    assert {"type", "title", "detail", "code", "request_id", "errors"} <= document.keys()
    assert document["request_id"] == response["X-Request-Id"]
    for error in document["errors"]:
        assert {"pointer", "parameter", "header"} & error.keys()
        assert error["detail"]
    assert len(response.content) < 20_000


def test_every_member_of_every_body_refuses_other_types(send: Send) -> None:
    """Each member alone, of a type that is wrong for it, is named by its pointer."""
    wrong: list[Any] = [{"x": 1}, [[]], 1.5, True, "\x00", -(10**30)]
    for route in ROUTES:
        form = route.view.body()
        path = address(route, [str(UUID(int=0))] * 2)
        for name in form.fields:
            for value in wrong:
                if type(form.fields[name]).__name__ == "Boolean" and value is True:
                    continue
                response = send(
                    route.method,
                    path,
                    {name: value},
                    idempotency_key="k",
                    if_match='"1"',
                    authorization=bearer(Role.SUPERUSER, Role.STAFF),
                )
                check_refusal(response)
                pointers = [error["pointer"] for error in response.json()["errors"]]
                assert any(pointer.startswith(f"/{name}") for pointer in pointers), (path, name, value, response.json())
    assert not DomainEvent.objects.exists()
