"""A small JSON client for `up --check`, on the standard library: the runtime has no HTTP client of its own."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from email.message import Message
from typing import Any

TIMEOUT = 30.0  # seconds


@dataclass(frozen=True)
class Answer:
    """One response; `body` is the decoded JSON, `milliseconds` the time from request to last byte."""

    status: int
    headers: Message
    body: Any
    milliseconds: float

    @property
    def token(self) -> str:
        return self.headers.get("Consistency-Token", "")


class Client:
    """Speaks to one shop, as somebody or nobody."""

    def __init__(self, base_url: str, access: str = "") -> None:
        self.base_url = base_url
        self.access = access

    def get(self, path: str, *, token: str = "", wait: int = 10) -> Answer:
        """With a consistency token the answer is at least as new as the command that gave it."""
        headers = {"Consistency-Token": token, "Prefer": f"wait={wait}"} if token else {}
        return self._send("GET", path, None, headers)

    def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """Always with an idempotency key: the endpoints that need none ignore it."""
        return self._send("POST", path, body, {"Idempotency-Key": str(uuid.uuid4())})

    def _send(self, method: str, path: str, body: Any, headers: Mapping[str, str]) -> Answer:
        request = urllib.request.Request(  # noqa: S310 (http on loopback, from our own port)
            f"{self.base_url}/api/v1/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={**headers, "Accept": "application/json"},
        )
        if body is not None:
            request.add_header("Content-Type", "application/json")
        if self.access:
            request.add_header("Authorization", f"Bearer {self.access}")
        start = time.perf_counter()
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310
                status, received, raw = response.status, response.headers, response.read()
        except urllib.error.HTTPError as error:
            with error:
                status, received, raw = error.code, error.headers, error.read()
        return Answer(status, received, _decode(raw), (time.perf_counter() - start) * 1000)


def _decode(raw: bytes) -> Any:
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw[:200].decode(errors="replace")
