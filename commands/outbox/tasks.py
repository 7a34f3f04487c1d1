"""The Celery sweep: publishes what the process that recorded it did not, because it died or could not."""

from __future__ import annotations

import logging

from celery import shared_task
from django.db import connection

from acme.env import env
from commands.outbox.link import Halted
from commands.outbox.publisher import PASSING, Publisher

log = logging.getLogger(__name__)

#: Younger events are on their way already, in seconds.
AGE = 3
OVERDUE = """
SELECT EXISTS (
    SELECT FROM domain_event WHERE sequence IS NULL AND recorded_at < now() - %(age)s * interval '1 second'
) OR EXISTS (
    SELECT FROM stream_head AS head JOIN domain_event AS event USING (topic, partition)
    WHERE head.published < head.sequence AND event.sequence = head.published + 1
        AND event.recorded_at < now() - %(age)s * interval '1 second'
)
"""


@shared_task(name="commands.outbox.sweep")
def sweep() -> int:
    """Publishes if anything is overdue; returns how many events went out. An outage is only logged: it comes again."""
    with connection.cursor() as cursor:
        cursor.execute(OVERDUE, {"age": AGE})
        if not cursor.fetchone()[0]:
            return 0
    try:
        with Publisher(env.require("kafka_bootstrap_servers")) as publisher:
            return publisher.drain()
    except (*PASSING, Halted) as error:
        log.warning("the sweep published nothing: %s", error)
        return 0
