"""A client of the small shop, with access tokens."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import jwt
import pytest
from django.test import Client

from acme.env import env
from acme.identity import Role
from tests.integration.http.small_shop import Hooks

USER = UUID("018f0000-0000-7000-8000-0000000000aa")


def bearer(*roles: Role, user_id: UUID = USER) -> str:
    """The Authorization header of a user with these roles."""
    claims = {
        "sub": str(user_id),
        "customer_id": None,
        "roles": list(roles),
        "token_type": "access",
        "iss": "acme",
        "aud": "acme-api",
        "exp": int(time.time()) + 60,
    }
    return "Bearer " + jwt.encode(claims, env.require("jwt_private_key"), algorithm="EdDSA")


Send = Callable[..., Any]


def send_json(
    method: str, path: str, body: Any = None, *, content_type: str = "application/json", **headers: str
) -> Any:
    """A JSON request below /api/v1/, as staff unless a header says else."""
    headers = {"authorization": bearer(Role.STAFF), **headers}
    data = body if isinstance(body, bytes) else json.dumps(body or {}).encode()
    client = Client(raise_request_exception=False)
    return client.generic(method, f"/api/v1/{path}", data, content_type=content_type, headers=headers)


@pytest.fixture
def send() -> Send:
    """`send_json`: ``send(method, path, body, **headers)``."""
    return send_json


@pytest.fixture(autouse=True)
def _no_hooks() -> Iterator[None]:
    Hooks.calls, Hooks.inside = 0, None
    yield
    Hooks.inside = None
