"""The record of an event, byte for byte: what is written here stands in Kafka for years."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from acme.contracts.envelope import Envelope, Sealed, Undecodable, from_record, to_record

ENVELOPE = Envelope(
    event_id=UUID("0197e7c2-6a5e-7c11-8c3b-3f1f5b7a9d01"),
    topic="acme.customers",
    partition=5,
    sequence=42,
    aggregate_type="customer",
    aggregate_id=UUID("0197e7c2-0000-7000-8000-000000000007"),
    aggregate_version=3,
    event_type="CustomerRegistered",
    schema_version=1,
    data={"customer_id": "0197e7c2-0000-7000-8000-000000000007", "country": "GB"},
    personal=Sealed(subject="customer:0197e7c2-0000-7000-8000-000000000007", sealed="AAEC"),
    occurred_at=datetime(2025, 6, 1, 14, 0, 0, 5, timezone(timedelta(hours=2))),
    recorded_at=datetime(2025, 6, 1, 12, 0, 1, tzinfo=UTC),
    log_epoch=2,
    traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    correlation_id="req-7",
)
KEY = b"0197e7c2-0000-7000-8000-000000000007"
VALUE = (
    b'{"customer_id":"0197e7c2-0000-7000-8000-000000000007","country":"GB",'
    b'"personal":{"subject":"customer:0197e7c2-0000-7000-8000-000000000007","sealed":"AAEC"}}'
)
HEADERS = {
    "ce_specversion": b"1.0",
    "ce_id": b"0197e7c2-6a5e-7c11-8c3b-3f1f5b7a9d01",
    "ce_type": b"acme.CustomerRegistered",
    "ce_source": b"/acme/commands",
    "ce_subject": b"customer/0197e7c2-0000-7000-8000-000000000007",
    "ce_time": b"2025-06-01T12:00:00.000005Z",
    "ce_aggregateversion": b"3",
    "ce_sequence": b"42",
    "ce_schemaversion": b"1",
    "ce_logepoch": b"2",
    "ce_recordedtime": b"2025-06-01T12:00:01Z",
    "content-type": b"application/json",
    "ce_correlationid": b"req-7",
    "traceparent": b"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
}


def test_golden_record() -> None:
    key, value, headers = to_record(ENVELOPE)
    assert (key, value) == (KEY, VALUE)
    assert dict(headers) == HEADERS
    assert len(headers) == len(HEADERS), "no header twice"
    assert ENVELOPE.data.keys() == {"customer_id", "country"}, "the envelope itself is not changed"


def test_the_golden_record_is_read_back() -> None:
    assert from_record("acme.customers", 5, VALUE, list(HEADERS.items())) == ENVELOPE


@pytest.mark.parametrize("missing", ["ce_id", "ce_type", "ce_subject", "ce_time", "ce_sequence", "ce_logepoch"])
def test_a_record_without_an_attribute_is_refused(missing: str) -> None:
    headers = [(name, value) for name, value in HEADERS.items() if name != missing]
    with pytest.raises(Undecodable, match=missing):
        from_record("acme.customers", 5, VALUE, headers)


def test_an_event_without_a_number_does_not_travel() -> None:
    import msgspec

    with pytest.raises(ValueError, match="no sequence"):
        to_record(msgspec.structs.replace(ENVELOPE, sequence=None))
