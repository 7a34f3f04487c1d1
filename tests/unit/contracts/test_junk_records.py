"""Whatever attributes a record has: it is no event, or one that every store and topic can hold."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

import bson
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from acme.contracts.envelope import Envelope, Undecodable, from_record, to_record

GOOD = {
    "ce_id": "018f6f2e-0000-7000-8000-000000000001",
    "ce_type": "acme.PriceSet",
    "ce_subject": "product/018f6f2e-0000-7000-8000-000000000002",
    "ce_time": "2026-11-24T10:00:00Z",
    "ce_recordedtime": "2026-11-24T10:00:00.000001+00:00",
    "ce_aggregateversion": "5",
    "ce_sequence": "17",
    "ce_schemaversion": "1",
    "ce_logepoch": "1",
}
odd = st.one_of(
    st.text(max_size=40),
    st.integers(-(2**70), 2**70).map(str),
    st.datetimes().map(datetime.isoformat),
    st.sampled_from(["9" * 30, "0001-01-01T00:00:00+23:00", "9999-12-31T23:59:59-23:00", "1_0", "１７", " 5", "-0"]),
    st.builds("{}/{}".format, st.text(max_size=300), st.uuids()),
)


def read(headers: dict[str, str], value: bytes = b"{}") -> Envelope:
    return from_record("acme.catalog", 3, value, [(name, text.encode()) for name, text in headers.items()])


def kept(envelope: Envelope) -> bytes:
    """As a letter, a checkpoint or a position keeps it."""
    values = {name: getattr(envelope, name) for name in Envelope.__struct_fields__ if name not in {"data", "personal"}}
    plain = {name: str(value) if isinstance(value, UUID) else value for name, value in values.items()}
    key, value, headers = to_record(envelope)
    return bson.encode({**plain, "record": {"key": key, "value": value, "headers": [list(pair) for pair in headers]}})


def test_a_good_record_is_read() -> None:
    envelope = read(GOOD)
    assert (envelope.sequence, envelope.aggregate_version) == (17, 5)
    assert envelope.occurred_at == datetime(2026, 11, 24, 10, tzinfo=UTC)
    assert len(kept(envelope)) > 100


@given(st.dictionaries(st.sampled_from(sorted(GOOD)), odd, min_size=1, max_size=3))
def test_odd_attributes(changed: dict[str, str]) -> None:
    try:
        encoded = {name: text.encode() for name, text in changed.items()}
    except UnicodeEncodeError:
        return
    try:
        envelope = from_record("acme.catalog", 3, b"{}", list({**_good(), **encoded}.items()))
    except Undecodable:
        return
    again = from_record("acme.catalog", 3, *to_record(envelope)[1:])
    assert again == envelope
    assert len(kept(envelope)) < 10_000


def _good() -> dict[str, bytes]:
    return {name: text.encode() for name, text in GOOD.items()}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ce_aggregateversion", "9" * 30),
        ("ce_sequence", str(2**63)),
        ("ce_sequence", "0"),
        ("ce_logepoch", "-1"),
        ("ce_time", "2026-11-24T10:00:00"),
        ("ce_recordedtime", "0001-01-01T00:00:00+23:00"),
        ("ce_subject", f"{'x' * 5000}/018f6f2e-0000-7000-8000-000000000002"),
        ("ce_type", "acme."),
        ("ce_time", "2026-W48-2T10:00:00Z"),
        ("ce_time", "20261124T100000Z"),
        ("ce_id", "urn:uuid:018f6f2e-0000-7000-8000-000000000001"),
        ("ce_subject", "product/{018f6f2e-0000-7000-8000-000000000002}"),
    ],
)
def test_values_that_nobody_can_keep_are_no_events(name: str, text: str) -> None:
    with pytest.raises(Undecodable):
        read({**GOOD, name: text})


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"\xed\xa0\x80", None])
@pytest.mark.parametrize("name", ["ce_id", "ce_sequence", "ce_time", "traceparent", "something"])
def test_bytes_that_are_no_text(name: str, raw: bytes) -> None:
    with pytest.raises(Undecodable):
        from_record("acme.catalog", 3, b"{}", [*_good().items(), (name, raw)])


def test_of_an_attribute_that_comes_twice_the_last_one_counts() -> None:
    headers = [*_good().items(), ("ce_sequence", b"18"), ("aggregate_type", b"cart"), ("aggregate_id", b"x")]
    envelope = from_record("acme.catalog", 3, b"{}", headers)
    assert (envelope.sequence, envelope.aggregate_type) == (18, "product")


def test_a_payload_that_is_nested_too_deeply_is_no_event() -> None:
    deep = b'{"a":' * 20_000 + b"1" + b"}" * 20_000
    with pytest.raises(RecursionError):
        msgspec.json.decode(deep)
    with pytest.raises(Undecodable):
        read(GOOD, deep)


def test_the_largest_numbers_are_kept() -> None:
    envelope = read({**GOOD, "ce_sequence": str(2**63 - 1)}, json.dumps({"n": 1}).encode())
    assert bson.decode(kept(envelope))["sequence"] == 2**63 - 1
