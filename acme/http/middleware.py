"""The request id: taken from the client or made here, kept in every event's metadata, answered and logged."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

from django.http import HttpRequest, HttpResponse

from acme.tracing import set_trace

_SAFE = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestId:
    """Sets ``request.request_id`` and the trace; an unsafe ``X-Request-Id`` of the client is replaced."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _SAFE.fullmatch(given) else str(uuid4())
        request.request_id = request_id  # type: ignore[attr-defined]
        set_trace(request_id, request.headers.get("traceparent"))
        try:
            response = self.get_response(request)
        finally:
            set_trace(None)
        response["X-Request-Id"] = request_id
        return response
