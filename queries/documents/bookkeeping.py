"""What projectors write beside the documents: pointers, checkpoints, positions, stopped aggregates, heads, heartbeats.

Readers use it for read-your-writes and lag; the runtime writes it with guarded pymongo operations.
"""

from __future__ import annotations

from mongoengine import DateTimeField, DictField, Document, IntField, ListField, LongField, StringField


class ProjectionPointer(Document):
    """Key: projection name. ``live`` is the generation that readers use."""

    id = StringField(primary_key=True)
    live = IntField(required=True)
    version = IntField()  # of the projection's code when the live generation was made
    topics = ListField(StringField())
    group = IntField()  # number of the consumer group, raised when the broker hands out nothing in it
    numbered = IntField()  # the highest number that a generation ever had
    previous = IntField()  # the generation before a reset or rebuild, kept until it is dropped
    previous_version = IntField()
    following = IntField()  # the same where workers keep it up to date, for a rollback
    building = DictField()  # {generation, version, source, by, at, owner, lease_until} while a rebuild is not over
    handing_over = DictField()  # {id, to, at} while the live workers rest, so that another generation can go live
    paused = DictField()  # {by, reason, at} while an operator has paused it

    meta = {"collection": "projection_pointers", "auto_create_index": False}


class Checkpoint(Document):
    """Key: ``projection|generation|topic|partition``. The truth about what has been applied."""

    id = StringField(primary_key=True)
    projection = StringField()
    generation = IntField()
    topic = StringField()
    partition = IntField()
    sequence = LongField()
    event_id = StringField()
    offset = LongField()  # in Kafka, of the record with this sequence; -1 when it was read from the log
    topic_identity = StringField()
    log_epoch = IntField()
    recorded_at = DateTimeField()
    stopped = ListField(StringField())  # type:id@sequence of the first event up to here that was not applied
    stopped_print = StringField()  # their fingerprint, part of the compare-and-set; both are absent when there are none

    meta = {
        "collection": "projection_checkpoints",
        "auto_create_index": False,
        "indexes": [("projection", "generation")],
    }


class StoppedAggregate(Document):
    """Key: ``projection|generation|type:id``. From ``first_version`` on nothing is applied to this aggregate."""

    id = StringField(primary_key=True)
    projection = StringField()
    generation = IntField()
    aggregate = StringField()
    topic = StringField()
    partition = IntField()
    first_version = IntField()
    first_sequence = LongField()
    passed_to = LongField()  # sequence of the last event that was passed over
    event_type = StringField()
    error = StringField()
    fingerprint = StringField()
    attempts = IntField()
    first_at = DateTimeField()
    last_at = DateTimeField()

    meta = {
        "collection": "projection_stopped",
        "auto_create_index": False,
        "indexes": [("projection", "generation", "topic", "partition")],
    }


class StreamHead(Document):
    """Key: ``topic|partition``. Copied from the log by the workers with each heartbeat; see ``seen_at``."""

    id = StringField(primary_key=True)
    topic = StringField()
    partition = IntField()
    sequence = LongField()  # last numbered
    published = LongField()  # last acknowledged by Kafka
    log_epoch = IntField()
    seen_at = DateTimeField()
    complete_to = DateTimeField()  # whatever was recorded before is at or below `sequence`

    meta = {"collection": "stream_heads", "auto_create_index": False}


class Backlog(Document):
    """One document, key ``outbox``: events that are recorded but not numbered."""

    id = StringField(primary_key=True)
    events = IntField()
    oldest_recorded_at = DateTimeField()
    seen_at = DateTimeField()

    meta = {"collection": "outbox_backlog", "auto_create_index": False}


class WorkerHeartbeat(Document):
    """Key: ``projection|host|pid|thread``. ``partitions``: [{topic, partition, sequence, oldest_unapplied_at}].

    Without ``oldest_unapplied_at`` there was nothing after ``sequence`` of what was recorded before ``complete_to``.
    ``state``: running, blocked, paused, handing over, waiting for partitions, engine-down, hanging. ``blocked``:
    [{topic, partition, kind, why, since}], kind: gap, epoch, rewritten or queue-full. It lives while ``lease_until``
    lies ahead.
    """

    id = StringField(primary_key=True)
    projection = StringField()
    generation = IntField()
    host = StringField()
    pid = IntField()
    state = StringField()
    detail = StringField()
    partitions = ListField(DictField())
    blocked = ListField(DictField())
    events_per_second = IntField()
    handing_over = StringField()  # id of the hand-over for which it rests
    started_at = DateTimeField()
    complete_to = DateTimeField()
    seen_at = DateTimeField()
    lease_until = DateTimeField()

    meta = {
        "collection": "projection_workers",
        "auto_create_index": False,
        "indexes": [{"fields": ["seen_at"], "expireAfterSeconds": 3600}],
    }


class PositionDocument(Document):
    """Key: ``type:id`` of an aggregate. Its latest projected version and where in the stream that is."""

    projection = "positions"

    id = StringField(primary_key=True)
    version = IntField()
    topic = StringField()
    partition = IntField()
    sequence = LongField()
    seen_at = DateTimeField()

    meta = {
        "auto_create_index": False,
        "indexes": [{"fields": ["seen_at"], "expireAfterSeconds": 24 * 3600}],
    }
