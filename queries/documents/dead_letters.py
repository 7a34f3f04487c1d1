"""Dead letters and the requests of operators: what projectors keep of events that they could not project.

Written by `projections.runtime` with pymongo; declared here for their indexes and for whoever reads them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mongoengine import BooleanField, DateTimeField, DictField, Document, IntField, LongField, StringField
from pymongo.database import Database


class DeadLetter(Document):
    """Key: ``projection|generation|topic|partition|sequence``, so parking an event twice makes one letter.

    A record that is no event at all has ``offset:N@IDENTITY`` in the place of the sequence, and no aggregate.
    """

    id = StringField(primary_key=True)
    projection = StringField()
    generation = IntField()
    topic = StringField()
    partition = IntField()
    sequence = LongField()
    offset = LongField()  # in Kafka; -1 when the event was read from the log
    aggregate = StringField()  # type:id
    aggregate_version = IntField()
    event_type = StringField()
    event_id = StringField()
    schema_version = IntField()
    occurred_at = DateTimeField()
    recorded_at = DateTimeField()
    record = DictField()  # {key, value, headers: [[name, bytes]]}: the event as it travels, personal data sealed
    error = StringField()
    error_class = StringField()
    traceback = StringField()
    fingerprint = StringField()  # of the failure; a held letter has that of the letter in front of it
    held = BooleanField()  # it has not failed itself: it waits behind `held_by` of its aggregate
    held_by = LongField()
    attempts = IntField()
    first_at = DateTimeField()
    last_at = DateTimeField()
    state = StringField()  # parked or discarded
    discarded_by = StringField()
    discarded_reason = StringField()
    discarded_at = DateTimeField()
    request = StringField()  # the open request that has marked it
    outcome = DictField()  # of the last request: {request, result: failed or held, error}
    unannounced = BooleanField()  # it is not on the topic acme.dead-letters yet; absent when it is
    resynced = BooleanField()  # discarded, and its aggregate has been made anew: about to be taken away

    meta = {
        "collection": "projection_dead_letters",
        "auto_create_index": False,
        "indexes": [
            ("projection", "generation", "state", "topic", "partition", "sequence", "offset"),
            ("projection", "generation", "aggregate", "sequence"),
            ("projection", "generation", "fingerprint"),
            ("projection", "generation", "state", "first_at"),
            {"fields": ["request", "topic", "partition", "aggregate", "sequence"], "sparse": True},
            {"fields": ["unannounced", "projection"], "sparse": True},
            {"fields": ["outcome.request"], "sparse": True},
        ],
    }


class OperatorRequest(Document):
    """Key: a UUIDv7. What an operator asked of the workers that own the partitions; kept for thirty days."""

    id = StringField(primary_key=True)
    projection = StringField()
    generation = IntField()
    action = StringField()  # retry, discard or resync
    selection = StringField()  # in words
    total = IntField()  # letters marked at the start: the cut-off
    by = StringField()
    reason = StringField()
    at = DateTimeField()
    topic = StringField()  # of the aggregate, for resync
    partition = IntField()
    aggregate = StringField()
    state = StringField()  # marking, waiting, done or failed
    counts = DictField()  # once it is over: {waiting, done, failed, held}
    message = StringField()
    finished_at = DateTimeField()

    meta = {
        "collection": "projection_requests",
        "auto_create_index": False,
        "indexes": [("projection", "state"), {"fields": ["at"], "expireAfterSeconds": 30 * 24 * 3600}],
    }


def parked(store: Database[dict[str, Any]], projection: str, generation: int) -> Iterator[dict[str, Any]]:
    """Filters that together find all parked letters of a generation: one for each partition that has any.

    A single one would keep the embedded server from everybody else while it reads ten thousand. The marker of an
    aggregate is there from before its first letter until after its last; records that were no event have none.
    """
    mine, place = {"projection": projection, "generation": generation}, {"topic": 1, "partition": 1}
    rows = [*store["projection_stopped"].find(mine, place)]
    rows += store["projection_dead_letters"].find({**mine, "aggregate": None}, place)
    for topic, partition in sorted({(row["topic"], row["partition"]) for row in rows}):
        yield {**mine, "state": "parked", "topic": topic, "partition": partition}
