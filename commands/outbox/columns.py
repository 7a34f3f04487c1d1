"""Rows of the event log as envelopes, past Django's models: publisher, rebuild and replay read them by the million."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from django.db import connection
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.json import set_json_loads

from acme.contracts.envelope import Envelope, Sealed

#: Columns of `domain_event`, in the order in which `envelope_of` takes them.
NAMES = (
    "event_id",
    "topic",
    "partition",
    "sequence",
    "aggregate_type",
    "aggregate_id",
    "aggregate_version",
    "event_type",
    "schema_version",
    "data",
    "personal",
    "metadata",
    "occurred_at",
    "recorded_at",
)
SELECTED = ", ".join(f"event.{name}" for name in NAMES)


def envelope_of(row: Sequence[Any], epoch: int) -> Envelope:
    """The envelope of a log row (`NAMES`), as it travels in that epoch."""
    (
        event_id,
        topic,
        partition,
        sequence,
        aggregate_type,
        aggregate_id,
        aggregate_version,
        event_type,
        schema_version,
        data,
        personal,
        metadata,
        occurred_at,
        recorded_at,
    ) = row
    return Envelope(
        event_id=event_id,
        topic=topic,
        partition=partition,
        sequence=sequence,
        aggregate_type=aggregate_type,
        aggregate_id=aggregate_id,
        aggregate_version=aggregate_version,
        event_type=event_type,
        schema_version=schema_version,
        data=data,
        personal=None if personal is None else msgspec.convert(personal, Sealed),
        occurred_at=occurred_at,
        recorded_at=recorded_at,
        log_epoch=epoch,
        traceparent=metadata.get("traceparent"),
        correlation_id=metadata.get("correlation_id"),
    )


def read_envelopes(condition: str, values: Sequence[Any], epoch: int) -> list[Envelope]:
    """Those of ``domain_event AS event WHERE`` the condition, which may go on with an order and a limit."""
    statement = f"SELECT {SELECTED} FROM domain_event AS event WHERE {condition}"  # noqa: S608 (constants of the callers)
    with connection.cursor() as cursor:
        # Django's cursors leave JSON as text, for its fields to decode, and moments to a loader that is slower.
        set_json_loads(msgspec.json.decode, cursor.cursor)
        cursor.cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
        cursor.execute(statement, values)
        return [envelope_of(row, epoch) for row in cursor.fetchall()]
