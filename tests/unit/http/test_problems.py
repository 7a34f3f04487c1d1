"""Whatever a view raises becomes a problem document; engines out of reach are a 503 that shows no address."""

from __future__ import annotations

from typing import Any

import pymongo.errors
import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404
from django.test import RequestFactory
from mongoengine.connection import ConnectionFailure
from rest_framework.exceptions import Throttled

from acme.env import EngineNotConfigured
from acme.errors import Busy, Invalid, NotAuthenticated
from acme.http.problems import bad_request, describe, not_found, permission_denied, server_error


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("at 10.0.0.7"),
        InterfaceError("at 10.0.0.7"),
        pymongo.errors.ServerSelectionTimeoutError("at 10.0.0.7"),
        pymongo.errors.AutoReconnect("at 10.0.0.7"),
        pymongo.errors.ExecutionTimeout("at 10.0.0.7"),
        pymongo.errors.WaitQueueTimeoutError("at 10.0.0.7"),
        ConnectionFailure("at 10.0.0.7"),
        EngineNotConfigured("at 10.0.0.7"),
        Busy("too many"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_engines_out_of_reach(error: Exception) -> None:
    document, headers = describe(error, None)
    assert document["status"] == 503
    assert int(headers["Retry-After"]) > 0
    assert "10.0.0.7" not in str(document)


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Http404("secret"), 404, "not-found"),
        (PermissionDenied("secret"), 403, "forbidden"),
        (RequestDataTooBig("secret"), 413, "body-too-big"),
        (SuspiciousOperation("secret"), 400, "bad-request"),
        (ZeroDivisionError("secret"), 500, "internal-error"),
        (pymongo.errors.OperationFailure("secret"), 500, "internal-error"),
    ],
)
def test_others_by_their_kind(error: Exception, status: int, code: str) -> None:
    document, _ = describe(error, None)
    assert (document["status"], document["code"], document["type"]) == (status, code, f"/problems/{code}")
    assert "secret" not in str(document)


def test_headers_that_belong_to_an_error() -> None:
    assert describe(NotAuthenticated("who?"), None)[1] == {"WWW-Authenticate": "Bearer"}
    assert describe(Throttled(wait=2.3), None)[1]["Retry-After"] == "3"


def test_a_rule_names_its_member() -> None:
    document, _ = describe(Invalid("too few", pointer="/lines/0/quantity", code="too-few"), None)
    assert (document["status"], document["code"]) == (422, "too-few")
    assert document["errors"] == [{"pointer": "/lines/0/quantity", "detail": "too few", "code": "too-few"}]


@pytest.mark.parametrize(
    ("view", "arguments", "status"),
    [(bad_request, (None,), 400), (permission_denied, (None,), 403), (not_found, (), 404), (server_error, (), 500)],
)
def test_errors_outside_of_views_are_problems_in_the_api_and_pages_elsewhere(
    view: Any, arguments: tuple[Any, ...], status: int
) -> None:
    answers = {path: view(RequestFactory().get(path), *arguments) for path in ("/api/v1/x", "/admin/x")}
    assert {answer.status_code for answer in answers.values()} == {status}
    assert answers["/api/v1/x"]["Content-Type"] == "application/problem+json"
    assert answers["/admin/x"]["Content-Type"].startswith("text/html")
