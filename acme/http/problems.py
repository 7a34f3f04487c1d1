"""Every error of the API as an RFC 9457 problem document, whoever raised it; nothing internal leaves the process."""

from __future__ import annotations

import logging
import math
import sys
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

import msgspec
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.views import defaults
from rest_framework import exceptions
from rest_framework.response import Response

from acme.env import EngineNotConfigured
from acme.errors import ShopError

CONTENT_TYPE = "application/problem+json"
MAX_ERRORS = 50  # listed in one document
MAX_NAME = 100  # characters of a client's own member name that are echoed
RETRY_AFTER = "1"  # seconds
log = logging.getLogger("acme.http")

#: Stable codes of what REST framework raises by itself, by its own code.
_CODES = {
    "parse_error": "malformed-body",
    "not_authenticated": "not-authenticated",
    "authentication_failed": "token-invalid",
    "permission_denied": "forbidden",
    "not_found": "not-found",
    "method_not_allowed": "method-not-allowed",
    "not_acceptable": "not-acceptable",
    "unsupported_media_type": "unsupported-media-type",
    "throttled": "too-many-requests",
}


class HttpError(Exception):
    """An error of the request as HTTP rather than of its content; ``errors`` name the header or parameter at fault.

    ``members`` are further members of the problem document.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        *,
        errors: list[dict[str, str]] | None = None,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail = status, code, detail
        self.errors, self.headers, self.members = errors or [], dict(headers or {}), dict(members or {})


def header_invalid(name: str, detail: str, *, code: str = "header-invalid") -> HttpError:
    """A 400 that names a request header."""
    return HttpError(400, code, f"{name} {detail}", errors=[{"header": name, "detail": detail, "code": code}])


def problem(
    request: Any,
    status: int,
    code: str,
    detail: str,
    *,
    title: str | None = None,
    errors: list[dict[str, str]] | None = None,
    **more: Any,
) -> dict[str, Any]:
    """The members of a problem document."""
    return {
        "type": f"/problems/{code}",
        "title": title or HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        "request_id": getattr(request, "request_id", None),
        "errors": (errors or [])[:MAX_ERRORS],
        **more,
    }


def problem_response(
    request: HttpRequest,
    status: int,
    code: str,
    detail: str,
    *,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> HttpResponse:
    """A problem document as a plain Django response."""
    body = msgspec.json.encode(problem(request, status, code, detail, **more))
    return HttpResponse(body, status=status, content_type=CONTENT_TYPE, headers=headers)


def exception_handler(error: Exception, context: Mapping[str, Any]) -> Response:
    """REST framework's hook: turns any exception of a view into a problem document."""
    request = context["request"]
    document, headers = describe(error, getattr(request, "_request", request))
    return Response(document, status=document["status"], headers=headers, content_type=CONTENT_TYPE)


def describe(error: Exception, request: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """The problem document of an exception and the headers that belong to it."""
    match error:
        case HttpError():
            document = problem(request, error.status, error.code, error.detail, errors=error.errors, **error.members)
            return document, error.headers
        case ShopError():
            return _of_shop_error(error, request)
        case exceptions.ValidationError():
            errors = list(_flatten(error.detail))
            return problem(request, 400, "invalid-body", _summary(errors), errors=errors), {}
        case exceptions.APIException():
            return _of_api_exception(error, request)
        case Http404():
            return problem(request, 404, "not-found", "There is nothing at this address."), {}
        case PermissionDenied():
            return problem(request, 403, "forbidden", "This is not allowed."), {}
        case RequestDataTooBig():
            limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
            return problem(request, 413, "body-too-big", f"A body has at most {limit} bytes."), {}
        case SuspiciousOperation():
            return problem(request, 400, "bad-request", "The request is malformed."), {}
    if engine := _unreachable(error):
        log.warning("%s cannot be reached: %s", engine, error)
        detail = f"{engine} cannot be reached at the moment."
        return problem(request, 503, "unavailable", detail), {"Retry-After": RETRY_AFTER}
    log.error(
        "request %s failed: %s %s",
        getattr(request, "request_id", None),
        getattr(request, "method", "?"),
        getattr(request, "path", "?"),
        exc_info=error,
    )
    return problem(request, 500, "internal-error", "Something went wrong; the request id names the log entry."), {}


def _of_shop_error(error: ShopError, request: Any) -> tuple[dict[str, Any], dict[str, str]]:
    errors = []
    if error.pointer is not None:
        errors.append({"pointer": error.pointer, "detail": error.detail, "code": error.code})
    headers = {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.status == 503:
        headers["Retry-After"] = RETRY_AFTER
    return problem(request, error.status, error.code, error.detail, title=error.title, errors=errors), headers


def _of_api_exception(error: exceptions.APIException, request: Any) -> tuple[dict[str, Any], dict[str, str]]:
    headers = {}
    if error.status_code == 401:
        headers["WWW-Authenticate"] = getattr(error, "auth_header", None) or "Bearer"
    wait = getattr(error, "wait", None)
    if wait:
        headers["Retry-After"] = str(math.ceil(wait))
    code = _CODES.get(error.default_code, "bad-request" if error.status_code < 500 else "internal-error")
    return problem(request, error.status_code, code, str(error.detail)), headers


def _flatten(detail: Any, pointer: str = "") -> Iterator[dict[str, str]]:
    """{pointer, detail, code} for each message in the nested detail of a ValidationError."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = name == "non_field_errors"
            yield from _flatten(inner, pointer if own else f"{pointer}/{_escape(name)}")
    elif isinstance(detail, list):
        for index, inner in enumerate(detail):
            leaf = isinstance(inner, str)
            yield from _flatten(inner, pointer if leaf else f"{pointer}/{index}")
    else:
        yield {"pointer": pointer, "detail": str(detail), "code": getattr(detail, "code", None) or "invalid"}


def _escape(name: Any) -> str:
    text = str(name)
    text = text if len(text) <= MAX_NAME else f"{text[:MAX_NAME]}…"
    return text.replace("~", "~0").replace("/", "~1")


def _summary(errors: list[dict[str, str]]) -> str:
    if not errors:
        return "The body is not valid."
    first = errors[0]
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return f"{first['pointer'] or 'body'}: {first['detail']}{more}"


def _unreachable(error: Exception) -> str | None:
    """Which engine an exception says is out of reach. pymongo is asked only where somebody has loaded it."""
    if isinstance(error, EngineNotConfigured):
        return "An engine"
    if isinstance(error, OperationalError | InterfaceError):
        return "PostgreSQL"
    if isinstance(error, ImproperlyConfigured) and settings.DATABASES["default"]["ENGINE"].endswith("dummy"):
        return "PostgreSQL"
    pymongo = sys.modules.get("pymongo.errors")
    if pymongo and isinstance(
        error, pymongo.ConnectionFailure | pymongo.ExecutionTimeout | pymongo.WaitQueueTimeoutError
    ):
        return "MongoDB"
    mongoengine = sys.modules.get("mongoengine.connection")
    if mongoengine and isinstance(error, mongoengine.ConnectionFailure):
        return "MongoDB"
    return None


def is_api(request: HttpRequest) -> bool:
    """Whether errors at this address are problem documents rather than pages."""
    return request.path.startswith(("/api/", "/healthz", "/readyz")) or request.path == "/api"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400."""
    if is_api(request):
        return problem_response(request, 400, "bad-request", "The request is malformed.")
    return defaults.bad_request(request, exception)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    if is_api(request):
        return problem_response(request, 403, "forbidden", "This is not allowed.")
    return defaults.permission_denied(request, exception)


def not_found(request: HttpRequest, exception: Exception | None = None, **_: Any) -> HttpResponse:
    """Django's handler404, and the view of addresses under /api/ that nobody answers."""
    if is_api(request):
        return problem_response(request, 404, "not-found", "There is nothing at this address.")
    return defaults.page_not_found(request, exception or Http404())


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: what failed outside of a view, in rendering for instance."""
    if is_api(request):
        detail = "Something went wrong; the request id names the log entry."
        return problem_response(request, 500, "internal-error", detail)
    return defaults.server_error(request)
