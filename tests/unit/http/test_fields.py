"""Strict fields: the JSON type must be the declared one, and every error names the member by its JSON pointer."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from rest_framework.exceptions import ValidationError

from acme.contracts.base import Money
from acme.http.fields import Boolean, Currency, Email, Identifier, Integer, MoneyField, StrictSerializer, Text
from acme.http.problems import describe


class LineBody(StrictSerializer):
    sku = Text(max_length=10)
    quantity = Integer(min_value=1)


class Body(StrictSerializer):
    lines = LineBody(many=True, required=False, allow_empty=False, max_length=3)
    price = MoneyField(required=False)
    email = Email(required=False)
    gift = Boolean(required=False)
    category_id = Identifier(required=False, allow_null=True)
    currency = Currency(required=False)
    note = Text(multiline=True, required=False, allow_blank=True)


def pointers(data: Any) -> dict[str, str]:
    """pointer → code of the problem document that the body leads to."""
    form = Body(data=data)
    with pytest.raises(ValidationError) as caught:
        form.is_valid(raise_exception=True)
    document, _ = describe(caught.value, None)
    assert document["status"] == 400
    assert document["errors"][0]["detail"] in document["detail"]
    return {error["pointer"]: error["code"] for error in document["errors"]}


def values(data: dict[str, Any]) -> Any:
    form = Body(data=data)
    form.is_valid(raise_exception=True)
    return form.validated_data


@pytest.mark.parametrize("quantity", ["3", 3.0, True, None, [3], {}, 2**63, -(2**63), 0])
def test_only_integers_in_range_are_integers(quantity: Any) -> None:
    found = pointers({"lines": [{"sku": "A", "quantity": 1}, {"sku": "B", "quantity": quantity}]})
    assert list(found) == ["/lines/1/quantity"]


@pytest.mark.parametrize(
    "sku", [3, True, None, ["A"], {"a": 1}, "", "   ", "a\x00", "a\nb", "a\x7f", "a\x9f", "12345678901"]
)
def test_text_refuses_other_types_blanks_and_control_characters(sku: Any) -> None:
    assert list(pointers({"lines": [{"sku": sku, "quantity": 1}]})) == ["/lines/0/sku"]


def test_text_is_trimmed_and_line_breaks_are_allowed_where_declared() -> None:
    assert values({"lines": [{"sku": " Ä-1 ", "quantity": 1}]})["lines"][0]["sku"] == "Ä-1"
    assert values({"note": "a\n\tb"})["note"] == "a\n\tb"
    assert pointers({"note": "a\x00b"}) == {"/note": "control"}


@pytest.mark.parametrize("gift", ["true", 1, 0, None, "no"])
def test_only_true_and_false_are_booleans(gift: Any) -> None:
    assert list(pointers({"gift": gift})) == ["/gift"]


@pytest.mark.parametrize(
    "identifier", [1, "x", "018f0000000070008000000000000000", {}, "{018f0000-0000-7000-8000-000000000000}"]
)
def test_identifiers_are_uuids_with_hyphens(identifier: Any) -> None:
    assert list(pointers({"category_id": identifier})) == ["/category_id"]


def test_null_is_a_value_where_it_is_allowed() -> None:
    assert values({"category_id": None}) == {"category_id": None}
    text = "018f0000-0000-7000-8000-00000000000A"
    assert values({"category_id": text}) == {"category_id": UUID(text)}


def test_money_is_whole_and_strict() -> None:
    assert values({"price": {"amount_minor": 1299, "currency": "GBP"}}) == {"price": Money(1299, "GBP")}
    assert pointers({"price": {"amount_minor": -1, "currency": "GBP"}}) == {"/price/amount_minor": "min_value"}
    assert pointers({"price": {"amount_minor": 1, "currency": "gbp"}}) == {"/price/currency": "currency"}
    assert pointers({"price": {"amount_minor": 1, "currency": "GBP", "amount": "0.01"}}) == {"/price/amount": "unknown"}
    assert pointers({"price": 1299}) == {"/price": "type"}


def test_unknown_members_are_named_beside_other_errors() -> None:
    found = pointers({"x/y~": 1, "gift": 1, "lines": [{"sku": "A", "quantity": 1, "price": 0}]})
    assert found == {"/gift": "invalid", "/lines/0/price": "unknown", "/x~1y~0": "unknown"}


def test_lists_must_be_lists_of_a_bounded_length() -> None:
    line = {"sku": "A", "quantity": 1}
    assert list(pointers({"lines": line})) == ["/lines"]
    assert list(pointers({"lines": []})) == ["/lines"]
    assert list(pointers({"lines": [line] * 4})) == ["/lines"]
    assert list(pointers({"lines": [1]})) == ["/lines/0"]


@pytest.mark.parametrize("data", [[], "x", 1, None])
def test_the_body_itself_must_be_an_object(data: Any) -> None:
    assert list(pointers(data)) == [""]


def test_a_thousand_unknown_members_make_a_short_document() -> None:
    form = Body(data={f"{'x' * 5000}{index}": 1 for index in range(1000)})
    with pytest.raises(ValidationError) as caught:
        form.is_valid(raise_exception=True)
    document, _ = describe(caught.value, None)
    assert len(str(document)) < 20_000


@pytest.mark.parametrize("email", ["x", "a@b", "a b@example.com", f"{'a' * 250}@example.com", 1])
def test_email(email: Any) -> None:
    assert list(pointers({"email": email})) == ["/email"]
