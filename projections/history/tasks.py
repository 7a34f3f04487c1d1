"""The Celery task that samples lag. What it cannot read is a gap in the chart; an outage is only logged."""

from __future__ import annotations

import logging

import pymongo
from celery import shared_task
from pymongo.errors import PyMongoError

from acme.env import EngineNotConfigured, env
from projections.history.samples import take_samples
from queries.documents.connection import database

log = logging.getLogger(__name__)
SECONDS = 5.0


@shared_task(name="projections.history.sample")
def sample() -> int:
    """Returns how many projections were sampled: 0 where this process knows no MongoDB, or it cannot be reached."""
    if env.mongodb_url is None:
        return 0
    try:
        with pymongo.timeout(SECONDS):
            return take_samples(database())
    except (PyMongoError, EngineNotConfigured) as error:
        log.warning("no lag was sampled: %s", " ".join(str(error).split())[:300])
        return 0
