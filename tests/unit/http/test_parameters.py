"""Query parameters: unknown, repeated and malformed ones are named."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from django.test import RequestFactory
from rest_framework.request import Request

from acme.http.parameters import (
    BooleanParameter,
    ChoiceParameter,
    DateParameter,
    DecimalParameter,
    IdentifierParameter,
    IntegerParameter,
    Parameters,
    TextParameter,
    refuse_parameters,
)
from acme.http.problems import HttpError


class Wanted(Parameters):
    limit = IntegerParameter(min_value=1, max_value=100, default=24)
    q = TextParameter(max_length=20, required=False)
    price_min = DecimalParameter(min_value=Decimal(0), required=False)
    in_stock = BooleanParameter(required=False)
    day = DateParameter(required=False)
    sort = ChoiceParameter(choices=["name", "-name"], required=False)
    category = IdentifierParameter(required=False)


def request(query: str) -> Request:
    return Request(RequestFactory().get(f"/api/v1/products?{query}"))


def test_values_are_typed() -> None:
    text = "018f0000-0000-7000-8000-000000000000"
    query = f"q=caf%C3%A9&price_min=12.99&in_stock=false&day=2010-12-01&sort=-name&category={text}"
    assert Wanted.read(request(query)) == {
        "limit": 24,
        "q": "café",
        "price_min": Decimal("12.99"),
        "in_stock": False,
        "day": date(2010, 12, 1),
        "sort": "-name",
        "category": UUID(text),
    }


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("color=red", "color", "unknown"),
        ("format=json", "format", "unknown"),
        ("limit=1&limit=2", "limit", "repeated"),
        ("limit=0", "limit", "min_value"),
        ("limit=101", "limit", "max_value"),
        ("limit=", "limit", "invalid"),
        ("limit=1.0", "limit", "invalid"),
        ("limit=1_0", "limit", "invalid"),
        ("limit=%D9%A3", "limit", "invalid"),
        ("limit=" + "9" * 5000, "limit", "invalid"),
        ("q=%00", "q", "control"),
        ("q=%FF", "q", ""),
        ("price_min=NaN", "price_min", "invalid"),
        ("price_min=1e9", "price_min", "invalid"),
        ("price_min=-1", "price_min", "min_value"),
        ("in_stock=1", "in_stock", "invalid"),
        ("day=2010-02-30", "day", "invalid"),
        ("day=2010-12-01T00:00", "day", "invalid"),
        ("day=yesterday", "day", "invalid"),
        ("sort=price", "sort", "invalid_choice"),
        ("category=1", "category", "invalid"),
    ],
)
def test_what_is_wrong_is_named(query: str, parameter: str, code: str) -> None:
    if not code:
        Wanted.read(request(query))  # a byte that is not UTF-8 becomes U+FFFD, which finds nothing
        return
    with pytest.raises(HttpError) as caught:
        Wanted.read(request(query))
    assert caught.value.status == 400
    assert [(error["parameter"], error["code"]) for error in caught.value.errors] == [(parameter, code)]
    assert parameter in caught.value.detail


def test_a_query_may_take_none() -> None:
    refuse_parameters(request(""))
    with pytest.raises(HttpError, match="a: There is no such parameter"):
        refuse_parameters(request("a=1"))
