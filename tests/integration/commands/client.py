"""The API as staff use it, for tests of the slices' addresses."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from django.test import Client

from acme.identity import Role
from tests.integration.http.conftest import bearer


def send(method: str, path: str, body: Any = None, *roles: Role, **headers: str) -> Any:
    """A JSON request below /api/v1/ with a new Idempotency-Key, as staff unless roles are given; the response."""
    headers = {"authorization": bearer(*(roles or [Role.STAFF])), "idempotency-key": str(uuid4()), **headers}
    data = json.dumps({} if body is None else body).encode()
    client = Client(raise_request_exception=False)
    return client.generic(method, f"/api/v1/{path}", data, content_type="application/json", headers=headers)


def blamed(response: Any) -> set[str]:
    """Asserts a 4xx problem document; the pointers of what it finds wrong."""
    assert 400 <= response.status_code < 500, response.content
    assert response.headers["Content-Type"] == "application/problem+json"
    return {error.get("pointer", "") for error in response.json()["errors"]}
