"""The event log, its stream heads, the log epoch, and the keys of data subjects."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class DomainEvent(models.Model):
    """The append-only log, kept for ever. A trigger (migration 0002) refuses every change except the numbering."""

    position = models.BigAutoField(primary_key=True)
    event_id = models.UUIDField(unique=True)
    topic = models.CharField(max_length=60)
    partition = models.SmallIntegerField()
    sequence = models.BigIntegerField(null=True)
    aggregate_type = models.CharField(max_length=40)
    aggregate_id = models.UUIDField()
    aggregate_version = models.IntegerField()
    event_type = models.CharField(max_length=60)
    schema_version = models.SmallIntegerField()
    data = models.JSONField()
    personal = models.JSONField(null=True)
    metadata = models.JSONField()
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField()

    class Meta:
        db_table = "domain_event"
        constraints = [
            models.UniqueConstraint(
                fields=["aggregate_type", "aggregate_id", "aggregate_version"], name="one_event_per_version"
            ),
            models.UniqueConstraint(fields=["topic", "partition", "sequence"], name="one_event_per_sequence"),
        ]
        indexes = [models.Index(fields=["position"], name="not_numbered", condition=Q(sequence__isnull=True))]


class StreamHead(models.Model):
    """How far one partition is numbered and published, and what Kafka said when it was.

    ``sequence``: last numbered; ``published``: last acknowledged by Kafka; ``topic_identity`` and ``kafka_offset``:
    the topic id and the offset of the last acknowledged record, to notice an emptied or replaced Kafka.
    """

    topic = models.CharField(max_length=60)
    partition = models.SmallIntegerField()
    sequence = models.BigIntegerField(default=0)
    published = models.BigIntegerField(default=0)
    topic_identity = models.CharField(max_length=60, blank=True)
    kafka_offset = models.BigIntegerField(default=-1)

    class Meta:
        db_table = "stream_head"
        constraints = [models.UniqueConstraint(fields=["topic", "partition"], name="one_head_per_partition")]


class LogEpoch(models.Model):
    """The epochs of the log; the highest is in force. A new one starts after PostgreSQL was restored (stream.md 2)."""

    epoch = models.IntegerField(primary_key=True)
    started_at = models.DateTimeField()
    halted_reason = models.TextField(blank=True)  # why the publisher stopped and waits for an operator

    class Meta:
        db_table = "log_epoch"


class DataSubjectKey(models.Model):
    """The AES-256 key under which one subject's personal data stands in the log; deleting it erases the data."""

    subject = models.CharField(max_length=60, primary_key=True)
    key = models.BinaryField(max_length=32)

    class Meta:
        db_table = "data_subject_key"


class IdempotentRequest(models.Model):
    """The answer to a request with an Idempotency-Key, or the lease of the one that is still running."""

    actor = models.CharField(max_length=80)
    key = models.CharField(max_length=200)
    fingerprint = models.CharField(max_length=64)
    lease = models.UUIDField()
    lease_until = models.DateTimeField()
    status = models.SmallIntegerField(null=True)
    body = models.JSONField(null=True)
    headers = models.JSONField(null=True)
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "idempotent_request"
        constraints = [models.UniqueConstraint(fields=["actor", "key"], name="one_request_per_key")]
