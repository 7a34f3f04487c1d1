"""JSON in and out: a fast encoder that knows our values, and a parser that accepts one strict JSON object."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, NoReturn
from uuid import UUID

import msgspec
from django.conf import settings
from django.utils.functional import Promise
from rest_framework.exceptions import ParseError
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from acme.http.problems import HttpError

DRAIN_LIMIT = 16 * 1024 * 1024  # bytes of a refused body that are still read, so that the client gets to the answer


def to_json(value: Any) -> bytes:
    """UUIDs and decimals as strings, times as RFC 3339 in UTC ending in Z, structs as objects.

    Raises TypeError for a time without zone and for anything else that has no JSON form.
    """
    return msgspec.json.encode(_plain(value))


def _plain(value: Any) -> Any:
    if value is None or (isinstance(value, str | int | float) and not isinstance(value, Enum)):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("a time without time zone cannot be answered")
        return value.astimezone(UTC)
    if isinstance(value, UUID | Decimal | date | bytes):
        return value
    if isinstance(value, Enum):
        return _plain(value.value)
    if isinstance(value, msgspec.Struct):
        return _plain({name: getattr(value, name) for name in value.__struct_fields__})
    if isinstance(value, Promise):  # a text that Django would translate
        return str(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


class JSON(BaseRenderer):
    """application/json, and application/problem+json where the response says so."""

    media_type = "application/json"
    format = "json"
    charset = None  # JSON is UTF-8

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> bytes:
        return b"" if data is None else to_json(data)


class StrictJSONParser(BaseParser):
    """A body of one JSON object in UTF-8, without duplicate members, NaN or infinity; 413 when it is too big."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        request = parser_context["request"]
        charset = request._request.content_params.get("charset", "utf-8")
        if charset.lower().replace("-", "") != "utf8":
            raise HttpError(415, "unsupported-media-type", f"JSON is UTF-8, not {charset[:40]!r}")
        return parse_object(_read(stream, int(request.META.get("CONTENT_LENGTH") or 0)))


def _read(stream: Any, length: int) -> bytes:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    if length <= limit:
        return stream.read(limit)
    for _ in range(min(length, DRAIN_LIMIT) // 65536 + 1):
        if not stream.read(65536):
            break
    raise HttpError(413, "body-too-big", f"A body has at most {limit} bytes, this one has {length}")


def parse_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a body; raises ParseError with the reason."""
    try:
        msgspec.json.decode(body)  # stricter than the standard library: surrogates, UTF-8, no extensions
        value = json.loads(body, object_pairs_hook=_unique, parse_constant=_no_constant, parse_float=_finite)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ParseError(f"The body is not valid JSON: {reason[:200]}") from error
    if not isinstance(value, dict):
        raise ParseError("The body must be a JSON object.")
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"member {twice[:100]!r} appears twice")
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text[:40]} is out of range")
    return number
