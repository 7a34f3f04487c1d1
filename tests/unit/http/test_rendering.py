"""JSON in and out."""

from __future__ import annotations

import json
from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from django.utils.translation import gettext_lazy
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from acme.contracts.base import Money
from acme.http.rendering import parse_object, to_json
from acme.identity import Role

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner)
    ),
    max_leaves=20,
)


def test_values_of_ours() -> None:
    identifier = UUID("018f0000-0000-7000-8000-000000000000")
    moment = datetime(2010, 12, 1, 9, 26, tzinfo=timezone(timedelta(hours=1)))
    shown = json.loads(
        to_json(
            {
                "id": identifier,
                "at": moment,
                "micro": datetime(2010, 12, 1, 8, 26, 0, 120000, tzinfo=UTC),
                "day": date(2010, 12, 1),
                "price": Money(1299, "GBP"),
                "rate": Decimal("0.20"),
                "role": Role.STAFF,
                "rows": (OrderedDict(a=1),),
                "label": gettext_lazy("Name"),
                "note": "£ é 漢",
            }
        )
    )
    assert shown == {
        "id": str(identifier),
        "at": "2010-12-01T08:26:00Z",
        "micro": "2010-12-01T08:26:00.120000Z",
        "day": "2010-12-01",
        "price": {"amount_minor": 1299, "currency": "GBP"},
        "rate": "0.20",
        "role": "staff",
        "rows": [{"a": 1}],
        "label": "Name",
        "note": "£ é 漢",
    }


@pytest.mark.parametrize("value", [datetime(2010, 12, 1), object()])  # noqa: DTZ001
def test_what_has_no_json_form_is_an_error(value: Any) -> None:
    with pytest.raises(TypeError):
        to_json({"a": [value]})


@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), JSON_VALUES))
def test_what_is_rendered_is_parsed_again(value: dict[str, Any]) -> None:
    assert parse_object(to_json(value)) == value


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", ""),
        (b"{", ""),
        (b"[]", "object"),
        (b"1", "object"),
        (b'{"a":1,"a":2}', "'a' appears twice"),
        (b'{"a":{"b":1,"b":1}}', "'b' appears twice"),
        (b'{"a":NaN}', ""),
        (b'{"a":-Infinity}', ""),
        (b'{"a":1e999}', "out of range"),
        (b'{"a":' + b"9" * 5000 + b"}", "out of range"),
        (b'{"a":"\\ud800"}', ""),
        (b'{"a":"\xff"}', ""),
        (b"\xff\xfe{\x00}\x00", ""),
        (b"\xef\xbb\xbf{}", ""),
        (b"{} x", ""),
        (b"{'a':1}", ""),
        (b'{"a":' * 50_000, "too deep"),
        (b"[" * 100_000, "too deep"),
    ],
)
def test_malformed_bodies_are_refused(body: bytes, reason: str) -> None:
    with pytest.raises(ParseError, match=reason or None):
        parse_object(body)


@given(st.binary(max_size=200))
def test_any_bytes_are_an_object_or_a_parse_error(body: bytes) -> None:
    try:
        assert isinstance(parse_object(body), dict)
    except ParseError:
        pass
