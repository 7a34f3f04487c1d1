"""`record`: raises the aggregate's version and puts the domain event into the current transaction."""

from __future__ import annotations

from datetime import UTC, datetime

from acme.contracts.base import Event
from acme.contracts.envelope import encode
from acme.contracts.topics import partition_of
from acme.identity import Actor
from acme.tracing import current_trace
from commands.aggregate import Aggregate, new_id
from commands.handling import current_unit
from commands.outbox.models import DomainEvent
from commands.outbox.personal import seal


def record(
    aggregate: Aggregate, event: Event, *, actor: Actor, now: datetime, occurred_at: datetime | None = None
) -> None:
    """Records what has happened to a locked (or new) aggregate; the caller saves it afterwards.

    ``occurred_at`` is the business time (default: now) and may be in the past. Personal data is sealed under the key of
    the event's data subject and stands nowhere else in the log.
    """
    if event.aggregate_type != aggregate.aggregate_type or event.aggregate_id != aggregate.id:
        raise ValueError(f"{type(event).__name__} does not belong to {aggregate.aggregate_type} {aggregate.id}")
    aggregate.version += 1
    topic = event.topic()
    data, personal = encode(event)
    event_id = new_id()
    subject = event.data_subject()
    current_unit().events.append(
        DomainEvent(
            event_id=event_id,
            topic=topic.name,
            partition=partition_of(topic, aggregate.id),
            aggregate_type=aggregate.aggregate_type,
            aggregate_id=aggregate.id,
            aggregate_version=aggregate.version,
            event_type=type(event).__name__,
            schema_version=event.schema_version,
            data=data,
            personal=seal(subject, event_id, personal) if subject and personal else None,
            metadata={"actor": actor.label, **current_trace()},
            occurred_at=occurred_at or now,
            recorded_at=datetime.now(UTC),
        )
    )
