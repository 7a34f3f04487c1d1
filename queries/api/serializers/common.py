"""Shapes that many answers share."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers


@extend_schema_serializer(component_name="Money")
class MoneyShape(serializers.Serializer):
    amount_minor = serializers.IntegerField(help_text="In minor units: 1299 is 12.99.")
    currency = serializers.CharField(help_text="ISO 4217 code.")
    amount = serializers.CharField(help_text="In major units, as a decimal.")


class CategoryLink(serializers.Serializer):
    id = serializers.UUIDField()
    name = serializers.CharField()
    slug = serializers.CharField()


def page_of(shape: type[serializers.Serializer], name: str) -> serializers.Serializer:
    """The shape of one page of a listing; ``name`` is its name in the document."""
    members = {
        "results": shape(many=True),
        "next": serializers.CharField(allow_null=True, help_text="Address of the next page."),
        "previous": serializers.CharField(allow_null=True, help_text="Address of the page before."),
    }
    page = type(name, (serializers.Serializer,), members)
    return extend_schema_serializer(many=False)(page)()  # the view's action is called list, its answer is an object
