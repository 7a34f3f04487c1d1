"""Strict query parameters: unknown, repeated or malformed ones are a 400 that names each.

A query declares its parameters as a serializer, which drf-spectacular also documents::

    class ProductParameters(Parameters):
        limit = IntegerParameter(min_value=1, max_value=100, default=24)

    values = ProductParameters.read(request)
"""

from __future__ import annotations

import re
from typing import Any

from rest_framework import serializers
from rest_framework.request import Request

from acme.http.fields import Identifier, Text
from acme.http.problems import MAX_NAME, HttpError

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_DECIMAL = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,6})?")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class Parameters(serializers.Serializer):
    """Base of the parameters of one query; without fields: it takes none."""

    @classmethod
    def read(cls, request: Request) -> dict[str, Any]:
        """The validated parameters. Raises `HttpError` (400) naming all that are at fault."""
        given = request.query_params
        form = cls(data={name: values[0] for name, values in given.lists()}, context={"request": request})
        errors = [_error(name, "There is no such parameter.", "unknown") for name in given if name not in form.fields]
        errors += [
            _error(name, "This may be given once.", "repeated")
            for name, values in given.lists()
            if len(values) > 1 and name in form.fields
        ]
        if not form.is_valid():
            errors += [
                _error("" if name == "non_field_errors" else name, str(detail), detail.code)
                for name, details in form.errors.items()
                for detail in details
            ]
        if errors:
            first = errors[0]
            raise HttpError(400, "invalid-parameter", f"{first['parameter']}: {first['detail']}", errors=errors)
        return form.validated_data


def refuse_parameters(request: Request) -> None:
    """Raises `HttpError` (400) when the request has any query parameter."""
    if request.META.get("QUERY_STRING"):
        Parameters.read(request)


def _error(name: str, detail: str, code: str) -> dict[str, str]:
    shown = name if len(name) <= MAX_NAME else f"{name[:MAX_NAME]}…"
    return {"parameter": shown, "detail": detail, "code": code}


class TextParameter(Text):
    """A text of one line."""


class IdentifierParameter(Identifier):
    """A UUID."""


class IntegerParameter(serializers.IntegerField):
    """A decimal integer in ASCII digits."""

    default_error_messages = {"invalid": "This must be an integer."}

    def to_internal_value(self, data: Any) -> int:
        if not _INTEGER.fullmatch(data):
            self.fail("invalid")
        return super().to_internal_value(data)


class DecimalParameter(serializers.DecimalField):
    """A decimal number in plain notation, such as 12.99."""

    default_error_messages = {"invalid": "This must be a decimal number such as 12.99."}

    def __init__(self, *, max_digits: int = 21, decimal_places: int = 6, **options: Any) -> None:
        super().__init__(max_digits=max_digits, decimal_places=decimal_places, **options)

    def to_internal_value(self, data: Any) -> Any:
        if not _DECIMAL.fullmatch(data):
            self.fail("invalid")
        return super().to_internal_value(data)


class BooleanParameter(serializers.BooleanField):
    """``true`` or ``false``."""

    default_error_messages = {"invalid": "This must be true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if data not in ("true", "false"):
            self.fail("invalid")
        return data == "true"


class DateParameter(serializers.DateField):
    """A date such as 2010-12-01."""

    def to_internal_value(self, value: Any) -> Any:
        if not _DATE.fullmatch(value):
            self.fail("invalid", format="YYYY-MM-DD")
        return super().to_internal_value(value)


class ChoiceParameter(serializers.ChoiceField):
    """One of a few words."""
