"""Access tokens are verified with the public key alone; no engine runs here."""

from __future__ import annotations

import base64
import json
import time
from typing import Any
from uuid import uuid4

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.test import RequestFactory
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from acme.env import env
from acme.http.authentication import AccessToken, actor_of
from acme.http.problems import HttpError
from acme.identity import ANONYMOUS, Actor, Role

USER, CUSTOMER = uuid4(), uuid4()


def claims(**changes: Any) -> dict[str, Any]:
    content = {
        "sub": str(USER),
        "customer_id": str(CUSTOMER),
        "roles": ["customer", "staff"],
        "token_type": "access",
        "iss": "acme",
        "aud": "acme-api",
        "exp": int(time.time()) + 60,
    }
    content.update(changes)
    return {name: value for name, value in content.items() if value is not ...}


def token(key: Any = None, algorithm: str = "EdDSA", **changes: Any) -> str:
    return jwt.encode(claims(**changes), key or env.require("jwt_private_key"), algorithm=algorithm)


def request(**headers: str) -> Request:
    return Request(RequestFactory().get("/", headers=headers), authenticators=[AccessToken()])


def test_the_actor_comes_from_the_claims() -> None:
    asked = request(authorization=f"Bearer {token()}", guest_token="abc_-1")
    assert asked.user.is_authenticated
    roles = frozenset({Role.CUSTOMER, Role.STAFF})
    assert actor_of(asked) == Actor(user_id=USER, customer_id=CUSTOMER, roles=roles, guest_token="abc_-1")


def test_without_token_it_is_a_guest() -> None:
    assert actor_of(request()) == ANONYMOUS
    assert actor_of(request(guest_token="abc")) == Actor(guest_token="abc")
    assert request().user is None


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic YTpi", "x", "Bearer x", "Bearer a.b.c", "Bearer é"])
def test_other_headers_are_refused(header: str) -> None:
    with pytest.raises(AuthenticationFailed):
        _ = request(authorization=header).user


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1_000_000_000},
        {"exp": ...},
        {"aud": "another"},
        {"aud": ...},
        {"iss": "another"},
        {"token_type": "refresh"},
        {"token_type": ...},
        {"sub": "1"},
        {"sub": ...},
        {"roles": ["emperor"]},
        {"roles": 7},
        {"customer_id": "x"},
        {"customer_id": 7},
    ],
    ids=str,
)
def test_tokens_with_other_claims_are_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(AuthenticationFailed):
        _ = request(authorization=f"Bearer {token(**changes)}").user


def test_tokens_of_other_keys_and_algorithms_are_refused() -> None:
    forged = [
        token(Ed25519PrivateKey.generate()),
        _unsigned(),
        _signed_with_public_key(),
    ]
    for raw in forged:
        with pytest.raises(AuthenticationFailed):
            _ = request(authorization=f"Bearer {raw}").user


def _part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def _unsigned() -> str:
    return f"{_part({'alg': 'none', 'typ': 'JWT'})}.{_part(claims())}."


def _signed_with_public_key() -> str:
    """The classic confusion: HMAC with the public key as the secret."""
    import hashlib
    import hmac

    head = f"{_part({'alg': 'HS256', 'typ': 'JWT'})}.{_part(claims())}"
    digest = hmac.new(env.require("jwt_public_key").encode(), head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


@pytest.mark.parametrize("value", ["", "a b", "é", "x" * 201, "a;b"])
def test_a_guest_token_has_a_safe_shape(value: str) -> None:
    with pytest.raises(HttpError) as caught:
        actor_of(request(guest_token=value))
    assert caught.value.errors[0]["header"] == "Guest-Token"
