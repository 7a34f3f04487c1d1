"""An event as it travels: CloudEvents 1.0 attributes in Kafka headers (binary mode), JSON as the value.

``data`` is the event's JSON without ``personal``; ``personal`` is sealed (base64 of nonce and ciphertext) and travels
inside the value as ``{"personal": {"subject": …, "sealed": …}}``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Annotated, Any
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
        return f"{self.aggregate_type}:{id_text(self.aggregate_id)}"


class Undecodable(ValueError):
    """The record or its payload is not an event as this code knows it; the message says why."""


Unseal = Callable[[Sealed, UUID], dict[str, Any] | None]
_Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_AggregateType = Annotated[str, msgspec.Meta(min_length=1, max_length=LONGEST_NAME)]
_EventType = Annotated[str, msgspec.Meta(min_length=1, max_length=len(TYPE_PREFIX) + LONGEST_NAME)]


class _Attributes(msgspec.Struct):
    """Those of the headers that are no numbers, the subject in its two parts: checked and converted in one call."""

    ce_id: UUID
    ce_type: _EventType
    aggregate_type: _AggregateType
    aggregate_id: UUID
    ce_time: _Moment
    ce_recordedtime: _Moment
    traceparent: str | None = None
    ce_correlationid: str | None = None


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(dict[str, Any])
_CONSTANT_HEADERS = [
    ("ce_specversion", b"1.0"),
    ("ce_source", SOURCE.encode()),
    ("content-type", b"application/json"),
]


def id_text(of: UUID) -> str:
    """The canonical form, as ``str`` has it, in a sixth of the time."""
    text: str = msgspec.to_builtins(of)
    return text


def time_text(moment: datetime) -> str:
    """RFC 3339 in UTC, ending in Z, to the microsecond."""
    text: str = msgspec.to_builtins(_in_utc(moment))
    return text


def _in_utc(moment: datetime) -> datetime:
    """The same moment. Raises OverflowError at the ends of the calendar."""
    return moment if moment.tzinfo is UTC else moment.astimezone(UTC)


def to_record(envelope: Envelope) -> tuple[bytes, bytes, list[tuple[str, bytes]]]:
    """Kafka key, value and headers. The envelope must be numbered."""
    if envelope.sequence is None:
        raise ValueError(f"event {envelope.event_id} has no sequence yet")
    value = envelope.data
    if envelope.personal is not None:
        sealed = {"subject": envelope.personal.subject, "sealed": envelope.personal.sealed}
        value = {**value, "personal": sealed}
    aggregate_id = id_text(envelope.aggregate_id)
    headers = [
        *_CONSTANT_HEADERS,
        ("ce_id", id_text(envelope.event_id).encode()),
        ("ce_type", f"{TYPE_PREFIX}{envelope.event_type}".encode()),
        ("ce_subject", f"{envelope.aggregate_type}/{aggregate_id}".encode()),
        ("ce_time", time_text(envelope.occurred_at).encode()),
        ("ce_aggregateversion", b"%d" % envelope.aggregate_version),
        ("ce_sequence", b"%d" % envelope.sequence),
        ("ce_schemaversion", b"%d" % envelope.schema_version),
        ("ce_logepoch", b"%d" % envelope.log_epoch),
        ("ce_recordedtime", time_text(envelope.recorded_at).encode()),
    ]
    if envelope.correlation_id:
        headers.append(("ce_correlationid", envelope.correlation_id.encode()))
    if envelope.traceparent:
        headers.append(("traceparent", envelope.traceparent.encode()))
    return aggregate_id.encode(), _encoder.encode(value), headers


def from_record(topic: str, partition: int, value: bytes | None, headers: Sequence[tuple[str, bytes]]) -> Envelope:
    """The envelope of a Kafka record. Raises `Undecodable` when attributes are missing or wrong.

    What it answers can be kept: numbers fit into 64 bits, moments are RFC 3339 with a time zone, ids are UUIDs in their
    canonical form, names are short.
    """
    try:
        text = {name: raw.decode() for name, raw in headers}
        text["aggregate_type"], _, text["aggregate_id"] = text["ce_subject"].partition("/")
        told = msgspec.convert(text, _Attributes)
        data = _decoder.decode(value or b"")
        personal = data.pop("personal", None)
        return Envelope(
            event_id=told.ce_id,
            topic=topic,
            partition=partition,
            sequence=_number(text["ce_sequence"]),
            aggregate_type=told.aggregate_type,
            aggregate_id=told.aggregate_id,
            aggregate_version=_small_number(text["ce_aggregateversion"]),
            event_type=_name(told.ce_type.removeprefix(TYPE_PREFIX)),
            schema_version=_small_number(text["ce_schemaversion"]),
            data=data,
            personal=None if personal is None else msgspec.convert(personal, Sealed),
            occurred_at=_in_utc(told.ce_time),
            recorded_at=_in_utc(told.ce_recordedtime),
            log_epoch=_small_number(text["ce_logepoch"]),
            traceparent=told.traceparent,
            correlation_id=told.ce_correlationid,
        )
    except (KeyError, ValueError, AttributeError, TypeError, OverflowError, RecursionError) as error:
        raise Undecodable(f"{topic}[{partition}]: {type(error).__name__}: {error}") from error


def _number(text: str) -> int:
    """A counting number as it is written in attributes. Raises ValueError."""
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(LARGEST)) and 1 <= int(text) <= LARGEST):
        raise ValueError(f"{text[:40]!r} is no number from 1 to {LARGEST}")
    return int(text)


#: Versions and epochs, of which few are seen again and again.
_small_number = lru_cache(1024)(_number)


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
