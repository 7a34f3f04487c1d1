"""How the outbox stands, for a scrape: read from PostgreSQL in a session of its own, with a time limit of its own."""

from __future__ import annotations

from prometheus_client.core import Metric

from acme import metrics
from acme.env import env
from acme.exposition import Source
from commands.outbox.direct import connect

#: For each of the two statements.
STATEMENT_SECONDS = 1
STAGES = """
SELECT
    (SELECT count(*) FROM domain_event WHERE sequence IS NULL),
    (SELECT coalesce(sum(sequence - published), 0) FROM stream_head),
    coalesce(extract(epoch FROM now() - least(
        (SELECT min(recorded_at) FROM domain_event WHERE sequence IS NULL),
        (SELECT min(event.recorded_at) FROM stream_head AS head JOIN domain_event AS event USING (topic, partition)
            WHERE head.published < head.sequence AND event.sequence = head.published + 1)
    )), 0)
"""
HALTED = "SELECT halted_reason <> '' FROM log_epoch ORDER BY epoch DESC LIMIT 1"


def read_outbox() -> list[Metric]:
    """The states of the outbox. Raises psycopg's errors, and `EngineNotConfigured`."""
    env.require("database_url")
    with connect("acme-metrics") as connection:
        connection.execute(f"SET statement_timeout = '{STATEMENT_SECONDS}s'")
        unnumbered, unpublished, age = connection.execute(STAGES).fetchone() or (0, 0, 0)
        epoch = connection.execute(HALTED).fetchone()
    events, oldest = metrics.OUTBOX_EVENTS.family(), metrics.OUTBOX_OLDEST_SECONDS.family()
    halted = metrics.PUBLISHER_HALTED.family()
    events.add_metric(["unnumbered"], unnumbered)
    events.add_metric(["unpublished"], unpublished)
    oldest.add_metric([], max(0.0, float(age)))
    halted.add_metric([], bool(epoch and epoch[0]))
    return [events, oldest, halted]


OUTBOX_STATE = Source("outbox", read_outbox)
