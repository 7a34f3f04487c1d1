"""Strict fields of request bodies: the JSON type must be the declared one, so "3" is not 3, and nothing is guessed.

Built on REST framework's fields, so that the OpenAPI document knows them; unknown members are refused by name.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from typing import Any
from uuid import UUID

import pycountry
from django.core.validators import EmailValidator
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from acme.contracts.base import Money

INTEGER_MAX = 2**63 - 1  # PostgreSQL's bigint and BSON's int64
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


class StrictSerializer(serializers.Serializer):
    """A JSON object with exactly the declared members; `required=False` members may be missing."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict):
            raise serializers.ValidationError({"non_field_errors": ["This must be a JSON object."]}, code="type")
        known = {field.field_name for field in self._writable_fields}
        errors: dict[str, Any] = {
            name: [serializers.ErrorDetail("There is no such member.", code="unknown")]
            for name in data
            if name not in known
        }
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            raise serializers.ValidationError({**error.detail, **errors}) from error
        if errors:
            raise serializers.ValidationError(errors)
        return values


class Text(serializers.CharField):
    """A string without control characters, trimmed; `multiline=True` allows line breaks and tabs."""

    default_error_messages = {
        "invalid": "This must be a string.",
        "control": "This must not contain control characters.",
    }

    def __init__(self, *, multiline: bool = False, **options: Any) -> None:
        self.allowed_controls = "\n\r\t" if multiline else ""
        super().__init__(**options)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and data is not None and not isinstance(data, str):
            self.fail("invalid")
        return super().run_validation(data)

    def to_internal_value(self, data: Any) -> str:
        if has_control_characters(data, self.allowed_controls):
            self.fail("control")
        return super().to_internal_value(data)


def has_control_characters(text: str, allowed: str = "") -> bool:
    """Whether a text has control characters or lone surrogates, which neither PostgreSQL nor UTF-8 can hold."""
    if text.isprintable():
        return False
    return any(unicodedata.category(c) in {"Cc", "Cs"} and c not in allowed for c in text)


class Email(Text):
    """An e-mail address, at most 254 characters; kept as written."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=options.pop("max_length", 254), **options)
        self.validators.append(EmailValidator("This must be an e-mail address."))


class Integer(serializers.IntegerField):
    """A JSON integer of at most 64 bits: no string, no boolean, no float."""

    default_error_messages = {"invalid": "This must be an integer."}

    def __init__(self, *, min_value: int = -INTEGER_MAX, max_value: int = INTEGER_MAX, **options: Any) -> None:
        super().__init__(min_value=min_value, max_value=max_value, **options)

    def to_internal_value(self, data: Any) -> int:
        if type(data) is not int:
            self.fail("invalid")
        return data


class Boolean(serializers.BooleanField):
    """true or false."""

    default_error_messages = {"invalid": "This must be true or false."}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class Identifier(serializers.UUIDField):
    """A UUID, written with hyphens."""

    default_error_messages = {"invalid": "This must be a UUID."}

    def to_internal_value(self, data: Any) -> UUID:
        if not isinstance(data, str) or not _UUID.fullmatch(data):
            self.fail("invalid")
        return UUID(data)


@cache
def _currencies() -> frozenset[str]:
    return frozenset(currency.alpha_3 for currency in pycountry.currencies)


@extend_schema_field({"type": "string", "example": "GBP"})
class Currency(Text):
    """An ISO 4217 code such as GBP."""

    default_error_messages = {"currency": "This must be an ISO 4217 currency code."}

    def to_internal_value(self, data: Any) -> str:
        code = super().to_internal_value(data)
        if code not in _currencies():
            self.fail("currency")
        return code


@extend_schema_field({"type": "integer", "format": "int64", "minimum": 0, "example": 1299})
class MinorUnits(Integer):
    """An amount, not negative, in the smallest unit of its currency."""


@extend_schema_serializer(component_name="MoneyInput")
class MoneyField(StrictSerializer):
    """An amount in integer minor units, not negative, with its currency."""

    amount_minor = MinorUnits(min_value=0, help_text="In minor units: 1299 is 12.99.")
    currency = Currency()

    def to_internal_value(self, data: Any) -> Money:
        return Money(**super().to_internal_value(data))
