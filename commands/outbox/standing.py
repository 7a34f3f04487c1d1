"""How the outbox stands: what waits, since when, and whether the publisher is halted. For alerts and metrics.

In a session of its own with time limits of its own: whoever asks wants to know soon that PostgreSQL does not answer.
"""

from __future__ import annotations

import psycopg
from django.db import OperationalError

from acme.env import env
from acme.ports import PublisherState
from commands.outbox.direct import connect

STATEMENT_SECONDS = 3
STANDING = """
WITH numbered AS (
    SELECT coalesce(sum(sequence - published) FILTER (WHERE published < sequence), 0)::bigint AS unpublished,
        coalesce(sum(published), 0)::bigint AS published
    FROM stream_head
), waiting AS (
    SELECT count(*) AS unnumbered, min(recorded_at) AS oldest FROM domain_event WHERE sequence IS NULL
), next_out AS (
    SELECT min(event.recorded_at) AS oldest
    FROM stream_head AS head JOIN domain_event AS event USING (topic, partition)
    WHERE head.published < head.sequence AND event.sequence = head.published + 1
), epoch AS (
    SELECT epoch, halted_reason FROM log_epoch ORDER BY epoch DESC LIMIT 1
)
SELECT coalesce((SELECT epoch FROM epoch), 1), coalesce((SELECT halted_reason FROM epoch), ''),
    waiting.unnumbered, numbered.unpublished, least(waiting.oldest, next_out.oldest), numbered.published
FROM numbered, waiting, next_out
"""


def read_standing() -> PublisherState:
    """Raises Django's OperationalError when PostgreSQL cannot be asked, `EngineNotConfigured` without a URL."""
    env.require("database_url")
    try:
        with connect("acme-alerts") as connection:
            connection.execute(f"SET statement_timeout = '{STATEMENT_SECONDS}s'")
            row = connection.execute(STANDING).fetchone()
    except psycopg.Error as error:
        raise OperationalError(str(error)) from error
    if row is None:
        raise OperationalError("no answer to the question how the outbox stands")
    names = ("epoch", "halted_reason", "unnumbered", "unpublished", "oldest_recorded_at", "published")
    return PublisherState(**dict(zip(names, row, strict=True)))
