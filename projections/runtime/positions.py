"""`positions`, the built-in projection made of headers only: each aggregate's version and where in the stream it is.

It resolves consistency tokens. Documents expire after a day, so versions may jump.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from acme.contracts.envelope import Envelope
from acme.contracts.topics import BY_AGGREGATE, TOPICS
from projections.runtime.projection import Projection, Section, add
from queries.documents.bookkeeping import PositionDocument


def _position(section: dict[str, Any], envelope: Envelope) -> None:
    section["topic"] = envelope.topic
    section["partition"] = envelope.partition
    section["sequence"] = envelope.sequence
    section["seen_at"] = datetime.now(UTC)  # bookkeeping for the expiry, not part of what is compared


POSITIONS = add(
    Projection(
        name="positions",
        version=1,
        document=PositionDocument,
        sections={
            aggregate: Section(aggregate=aggregate, path="", key="{aggregate}") for aggregate in sorted(BY_AGGREGATE)
        },
        topics=tuple(topic.name for topic in TOPICS),
        headers_only=_position,
    )
)
