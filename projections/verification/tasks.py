"""The Celery task that verifies a sample of every projection at night."""

from __future__ import annotations

import logging

from celery import shared_task

from acme.ports import aggregate_states, event_log, subject_keys
from projections.registry import PROJECTIONS
from projections.runtime.generations import POINTERS
from projections.verification.record import remember, to_look_at
from projections.verification.verify import Oracles, verify
from queries.documents.connection import database

logger = logging.getLogger(__name__)
SAMPLE = 1000  # documents of each projection


@shared_task(name="projections.verification.nightly")  # type: ignore[untyped-decorator]
def nightly() -> int:
    """Verifies every projection that was run at some time; returns how many documents differ. Alerts tell of them."""
    store, differ = database(), 0
    oracles = Oracles(log=event_log(), states=aggregate_states(), keys=subject_keys())
    for pointer in store[POINTERS].find({}, {"_id": 1}):
        projection = PROJECTIONS.get(pointer["_id"])
        if projection is None:
            continue
        found = verify(store, oracles, projection, sample=SAMPLE, also=to_look_at(store, projection.name))
        remember(store, found, by="the nightly check")
        differ += len(found.differences)
        logger.info(
            "%s: %d documents verified, %d differences", projection.name, found.log.documents, len(found.differences)
        )
    return differ
