"""How the outbox stands, for a scrape: read from PostgreSQL every time."""

from __future__ import annotations

from datetime import UTC, datetime

from prometheus_client.core import Metric

from acme import metrics
from acme.exposition import Source
from commands.outbox.standing import read_standing


def read_outbox() -> list[Metric]:
    """The states of the outbox. Raises Django's OperationalError, and `EngineNotConfigured`."""
    standing = read_standing()
    events, oldest = metrics.OUTBOX_EVENTS.family(), metrics.OUTBOX_OLDEST_SECONDS.family()
    halted = metrics.PUBLISHER_HALTED.family()
    events.add_metric(["unnumbered"], standing.unnumbered)
    events.add_metric(["unpublished"], standing.unpublished)
    waiting = datetime.now(UTC) - standing.oldest_recorded_at if standing.oldest_recorded_at else None
    oldest.add_metric([], max(0.0, waiting.total_seconds()) if waiting else 0)
    halted.add_metric([], bool(standing.halted_reason))
    return [events, oldest, halted]


OUTBOX_STATE = Source("outbox", read_outbox)
