"""How queries describe themselves in the OpenAPI document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers

from acme.http.openapi import problem_answers
from acme.http.parameters import Parameters
from queries.preferences import DEFAULT_WAIT, MAX_WAIT


def _header(name: str, description: str, *, answer: bool = False, enum: list[str] | None = None) -> OpenApiParameter:
    return OpenApiParameter(
        name, OpenApiTypes.STR, OpenApiParameter.HEADER, description=description, response=answer, enum=enum
    )


ASKED = [
    _header("Consistency-Token", "From the answer of a command: wait until what it wrote is in the answer."),
    _header(
        "Prefer",
        f"`wait=SECONDS`: how long to wait for the token, {DEFAULT_WAIT} if not given, {MAX_WAIT} at the most. "
        "`handling=lenient`: then answer with what there is, marked `Consistency: behind`, rather than 503.",
    ),
]
ANSWERED = [
    _header("As-Of", "Up to when the answer is complete (RFC 3339), or `unknown`.", answer=True),
    _header(
        "Consistency", "With a token: whether its writes are in the answer.", answer=True, enum=["current", "behind"]
    ),
    _header("Preference-Applied", "The preferences that were followed.", answer=True),
]
ETAG = [
    _header("If-None-Match", "An ETag: 304 when the document is still the same."),
    _header("ETag", '`"<version>-<digest>"`; `If-Match` of commands compares the version alone.', answer=True),
]
GUEST = _header("Guest-Token", "Opens a guest's own cart, or the order placed from it.")


def documented(
    answer: Any,
    *,
    parameters: type[Parameters] | None = None,
    etag: bool = False,
    guest: bool = False,
    problems: tuple[int, ...] = (),
    **more: Any,
) -> Callable[[Any], Any]:
    """Decorator of a viewset's method. ``problems``: statuses beside 400, 406 and 503, which every query may answer."""
    described = [*ASKED, *ANSWERED, *(ETAG if etag else ()), *([GUEST] if guest else ())]
    responses: dict[Any, Any] = {(200, "application/json"): answer, **problem_answers(400, 406, 503, *problems)}
    if etag:
        responses[304] = OpenApiResponse(description="Not modified.")
    shown: list[OpenApiParameter | type[serializers.Serializer]] = [*([parameters] if parameters else ()), *described]
    return extend_schema(parameters=shown, responses=responses, **more)
