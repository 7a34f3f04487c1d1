"""The Celery task that verifies a sample of every projection at night."""

from __future__ import annotations

import logging
from typing import Any

from celery import shared_task
from django.db import close_old_connections
from pymongo.database import Database

from acme.ports import aggregate_states, event_log, subject_keys
from projections.registry import PROJECTIONS
from projections.runtime.generations import POINTERS
from projections.runtime.projection import Projection
from projections.verification.record import remember, to_look_at
from projections.verification.verify import Oracles, verify
from queries.documents.connection import database

logger = logging.getLogger(__name__)
SAMPLE = 1000  # documents of each projection


@shared_task(name="projections.verification.nightly")  # type: ignore[untyped-decorator]
def nightly() -> int:
    """Verifies every projection that was run at some time; returns how many documents differ. Alerts tell of them.

    One that cannot be verified keeps no other from it; the last such error is raised in the end, so that Celery logs
    it.
    """
    store, differ = database(), 0
    failed: Exception | None = None
    for name in [pointer["_id"] for pointer in store[POINTERS].find({}, {"_id": 1}) if pointer["_id"] in PROJECTIONS]:
        try:
            differ += _verified(store, PROJECTIONS[name])
        except Exception as error:
            close_old_connections()  # a broken connection to PostgreSQL is not used again
            logger.exception("%s could not be verified", name)
            failed = error
    if failed is not None:
        raise failed
    return differ


def _verified(store: Database[dict[str, Any]], projection: Projection) -> int:
    oracles = Oracles(log=event_log(), states=aggregate_states(), keys=subject_keys())
    found = verify(store, oracles, projection, sample=SAMPLE, also=to_look_at(store, projection.name))
    remember(store, found, by="the nightly check")
    documents, differ = found.log.documents, len(found.differences)
    logger.info("%s: %d documents verified, %d differences", projection.name, documents, differ)
    return differ
