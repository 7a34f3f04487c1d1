"""Query parameters that several queries share."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from acme.env import env
from acme.http.fields import Currency
from acme.http.parameters import DateParameter, IntegerParameter, Parameters, TextParameter
from queries.api.pagination import DEFAULT_LIMIT, MAX_LIMIT

#: Days that one report may cover.
MAX_DAYS = 3_660


class PageParameters(Parameters):
    """Of every listing."""

    cursor = TextParameter(required=False, max_length=2_000, help_text="From `next` or `previous` of another page.")
    limit = IntegerParameter(required=False, min_value=1, max_value=MAX_LIMIT, default=DEFAULT_LIMIT)


class CurrencyParameters(Parameters):
    """Money is shown and compared in one currency; currencies are never added."""

    currency = Currency(required=False, default=env.currency, help_text="ISO 4217 code.")


class RangeParameters(CurrencyParameters):
    """``from`` and ``to``: days of the shop, both included."""

    def get_fields(self) -> dict[str, serializers.Field]:
        """`from` is a keyword of Python, so it cannot be declared as an attribute."""
        days = {
            "from": DateParameter(help_text="First day, such as 2010-12-01."),
            "to": DateParameter(help_text="Last day, included."),
        }
        return {**days, **super().get_fields()}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        first, last = attrs["from"], attrs["to"]
        if last < first:
            raise serializers.ValidationError({"to": ["This is before `from`."]}, code="reversed")
        if (last - first).days >= MAX_DAYS:
            raise serializers.ValidationError({"to": [f"At most {MAX_DAYS} days from `from`."]}, code="range")
        return attrs
