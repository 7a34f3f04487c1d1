"""An event as it travels: CloudEvents 1.0 attributes in Kafka headers (binary mode), JSON as the value.

``data`` is the event's JSON without ``personal``; ``personal`` is sealed (base64 of nonce and ciphertext) and travels
inside the value as ``{"personal": {"subject": …, "sealed": …}}``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import msgspec

from acme.contracts.base import Event
from acme.contracts.registry import EVENTS
from acme.contracts.upcasters import upcast

SOURCE = "/acme/commands"
TYPE_PREFIX = "acme."
LARGEST = 2**63 - 1
LONGEST_NAME = 200  # characters, of aggregate and event types


class Sealed(msgspec.Struct, frozen=True):
    """Personal data under the key of a data subject; ``sealed`` is base64(nonce ‖ AES-GCM ciphertext)."""

    subject: str
    sealed: str


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """One recorded event with all that is known of it. ``sequence`` is None until it is numbered."""

    event_id: UUID
    topic: str
    partition: int
    sequence: int | None
    aggregate_type: str
    aggregate_id: UUID
    aggregate_version: int
    event_type: str
    schema_version: int
    data: dict[str, Any]
    personal: Sealed | None
    occurred_at: datetime
    recorded_at: datetime
    log_epoch: int
    traceparent: str | None = None
    correlation_id: str | None = None

    @property
    def aggregate(self) -> str:
        """``type:id``, as positions and stopped aggregates are keyed."""
        return f"{self.aggregate_type}:{self.aggregate_id}"


class Undecodable(ValueError):
    """The record or its payload is not an event as this code knows it; the message says why."""


Unseal = Callable[[Sealed, UUID], dict[str, Any] | None]
_encoder = msgspec.json.Encoder()
_CONSTANT_HEADERS = [
    ("ce_specversion", b"1.0"),
    ("ce_source", SOURCE.encode()),
    ("content-type", b"application/json"),
]


def time_text(moment: datetime) -> str:
    """RFC 3339 in UTC, ending in Z, to the microsecond."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def to_record(envelope: Envelope) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """Kafka key, value and headers. The envelope must be numbered."""
    if envelope.sequence is None:
        raise ValueError(f"event {envelope.event_id} has no sequence yet")
    value = envelope.data
    if envelope.personal is not None:
        sealed = {"subject": envelope.personal.subject, "sealed": envelope.personal.sealed}
        value = {**value, "personal": sealed}
    headers = {
        "ce_id": str(envelope.event_id),
        "ce_type": TYPE_PREFIX + envelope.event_type,
        "ce_subject": f"{envelope.aggregate_type}/{envelope.aggregate_id}",
        "ce_time": time_text(envelope.occurred_at),
        "ce_aggregateversion": str(envelope.aggregate_version),
        "ce_sequence": str(envelope.sequence),
        "ce_schemaversion": str(envelope.schema_version),
        "ce_logepoch": str(envelope.log_epoch),
        "ce_recordedtime": time_text(envelope.recorded_at),
    }
    if envelope.correlation_id:
        headers["ce_correlationid"] = envelope.correlation_id
    if envelope.traceparent:
        headers["traceparent"] = envelope.traceparent
    return (
        str(envelope.aggregate_id).encode(),
        _encoder.encode(value),
        [*_CONSTANT_HEADERS, *[(name, text.encode()) for name, text in headers.items()]],
    )


def from_record(topic: str, partition: int, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> Envelope:
    """The envelope of a Kafka record. Raises `Undecodable` when attributes are missing or wrong.

    What it answers can be kept: numbers fit into 64 bits, moments have a time zone, names are short.
    """
    try:
        text = {name: raw.decode() for name, raw in headers}
        aggregate_type, _, aggregate_id = text["ce_subject"].partition("/")
        data = msgspec.json.decode(value or b"", type=dict[str, Any])
        personal = data.pop("personal", None)
        return Envelope(
            event_id=UUID(text["ce_id"]),
            topic=topic,
            partition=partition,
            sequence=_number(text["ce_sequence"]),
            aggregate_type=_name(aggregate_type),
            aggregate_id=UUID(aggregate_id),
            aggregate_version=_number(text["ce_aggregateversion"]),
            event_type=_name(text["ce_type"].removeprefix(TYPE_PREFIX)),
            schema_version=_number(text["ce_schemaversion"]),
            data=data,
            personal=None if personal is None else msgspec.convert(personal, Sealed),
            occurred_at=_moment(text["ce_time"]),
            recorded_at=_moment(text["ce_recordedtime"]),
            log_epoch=_number(text["ce_logepoch"]),
            traceparent=text.get("traceparent"),
            correlation_id=text.get("ce_correlationid"),
        )
    except (KeyError, ValueError, AttributeError, TypeError, OverflowError, RecursionError) as error:
        raise Undecodable(f"{topic}[{partition}]: {type(error).__name__}: {error}") from error


def _number(text: str) -> int:
    """A counting number as it is written in attributes. Raises ValueError."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST)) and 1 <= int(text) <= LARGEST):
        raise ValueError(f"{text[:40]!r} is no number from 1 to {LARGEST}")
    return int(text)


def _moment(text: str) -> datetime:
    """In UTC. Raises ValueError, and OverflowError at the ends of the calendar."""
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return moment.astimezone(UTC)


def _name(text: str) -> str:
    if not 1 <= len(text) <= LONGEST_NAME:
        raise ValueError(f"a name of {len(text)} characters: it has 1 to {LONGEST_NAME}")
    return text


def decode(envelope: Envelope, unseal: Unseal) -> Event:
    """The typed event, upcast to the current schema version. Raises `Undecodable` or `UnknownSchemaVersion`."""
    cls = EVENTS.get(envelope.event_type)
    if cls is None:
        raise Undecodable(f"unknown event type {envelope.event_type}")
    data = upcast(envelope.event_type, envelope.schema_version, cls.schema_version, envelope.data)
    if envelope.personal is not None:
        data = {**data, "personal": unseal(envelope.personal, envelope.event_id)}
    try:
        return msgspec.convert(data, cls)
    except msgspec.ValidationError as error:
        raise Undecodable(f"{envelope.event_type} v{envelope.schema_version}: {error}") from error


def encode(event: Event) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """JSON-ready data and personal data of an event, apart."""
    data: dict[str, Any] = msgspec.to_builtins(event)
    return data, data.pop("personal", None)
