"""If-Match and Idempotency-Key as they are read."""

from __future__ import annotations

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from acme.http.problems import HttpError
from commands.preconditions import IfMatch, idempotency_key, if_match


def request(**headers: str) -> Request:
    return Request(RequestFactory().post("/", headers=headers))


@pytest.mark.parametrize(
    ("header", "version"),
    [
        ('"7"', 7),
        ('"7-a1b2"', 7),
        ('W/"7"', 7),
        ('W/"7-a1b2"', 7),
        (' "7" ', 7),
        ('"7-a", "7-b"', 7),
        ("*", None),
    ],
)
def test_if_match_is_the_version(header: str, version: int | None) -> None:
    assert if_match(request(if_match=header)) == IfMatch(version)


@pytest.mark.parametrize(
    "header", ["", "7", '"x"', '"-1"', '"7', '"7" "8"', '"7", "8"', '"7",', 'w/"7"', '"7a"', '"٣"', f'"{"9" * 30}"']
)
def test_malformed_if_match_is_named(header: str) -> None:
    with pytest.raises(HttpError) as caught:
        if_match(request(if_match=header))
    assert (caught.value.status, caught.value.errors[0]["header"]) == (400, "If-Match")


def test_the_headers_are_optional() -> None:
    assert if_match(request()) is None
    assert idempotency_key(request(), required=False) is None


def test_idempotency_key() -> None:
    assert idempotency_key(request(idempotency_key="order 1!~"), required=True) == "order 1!~"
    with pytest.raises(HttpError) as caught:
        idempotency_key(request(), required=True)
    assert (caught.value.status, caught.value.code) == (400, "idempotency-key-required")


@pytest.mark.parametrize("key", ["", "x" * 201, "é", "a\tb", "a\x7f"])
def test_malformed_idempotency_key(key: str) -> None:
    with pytest.raises(HttpError) as caught:
        idempotency_key(request(idempotency_key=key), required=False)
    assert caught.value.errors[0]["header"] == "Idempotency-Key"
