"""The log itself: what the trigger refuses, and numbering under many writers."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection, transaction

from acme.contracts.envelope import Sealed
from acme.contracts.topics import BY_AGGREGATE, partition_of
from commands.outbox import log
from commands.outbox.direct import connect
from commands.outbox.log import PostgresEventLog, insert_events
from commands.outbox.models import DomainEvent, LogEpoch, StreamHead
from commands.outbox.sequencer import number
from tests.integration.outbox.conftest import event_row, in_thread, record_events

REFUSED = (
    "UPDATE domain_event SET data = '{}'",
    "UPDATE domain_event SET sequence = 7",
    "UPDATE domain_event SET sequence = NULL",
    "UPDATE domain_event SET aggregate_version = 9, sequence = 1 WHERE sequence IS NULL",
    "UPDATE domain_event SET recorded_at = now()",
    "DELETE FROM domain_event",
    "TRUNCATE domain_event",
)


@pytest.mark.parametrize("statement", REFUSED)
def test_the_log_refuses_every_change(shop_database: None, statement: str) -> None:
    record_events(1)
    with connect("test") as session:
        assert number(session, 10) == 1
    record_events(1)  # one with a sequence, one without
    before = list(DomainEvent.objects.order_by("position").values())
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert list(DomainEvent.objects.order_by("position").values()) == before


def test_numbering_a_row_is_allowed_once(shop_database: None) -> None:
    (row,) = record_events(1)
    assert DomainEvent.objects.filter(pk=row.pk).update(sequence=1) == 1
    with pytest.raises(IntegrityError, match="append-only"):
        DomainEvent.objects.filter(pk=row.pk).update(sequence=2)


def test_a_transaction_that_commits_late_gets_later_numbers(shop_database: None) -> None:
    """Its position is lower than that of events already numbered: a cursor over positions would lose it."""
    owner = uuid4()
    topic = BY_AGGREGATE["cart"]
    in_the_same_partition = next(
        other for other in iter(uuid4, None) if partition_of(topic, other) == partition_of(topic, owner)
    )
    inserted, may_commit = threading.Event(), threading.Event()

    def late() -> None:
        with transaction.atomic():
            insert_events([event_row(owner)])
            inserted.set()
            assert may_commit.wait(20)

    thread = threading.Thread(target=in_thread(late))
    thread.start()
    assert inserted.wait(20)
    with transaction.atomic():
        insert_events([event_row(in_the_same_partition)])
    with connect("test") as session:
        assert number(session, 10) == 1
        may_commit.set()
        thread.join()
        assert number(session, 10) == 1
    rows = {row.aggregate_id: row for row in DomainEvent.objects.all()}
    assert rows[owner].position < rows[in_the_same_partition].position
    assert (rows[in_the_same_partition].sequence, rows[owner].sequence) == (1, 2)


def test_numbering_is_dense_and_keeps_version_order_under_eight_writers(shop_database: None) -> None:
    """Aggregates of different threads share partitions; transactions last differently long, and some roll back."""
    stop = threading.Event()

    def write(seed: int) -> int:
        chance = random.Random(seed)
        aggregates = {uuid4(): 0 for _ in range(5)}
        written = 0
        for _ in range(60):
            chosen = chance.sample(sorted(aggregates), chance.randint(1, 4))
            rows = [event_row(owner, aggregates[owner] + 1) for owner in chosen]
            try:
                with transaction.atomic():
                    insert_events(rows)
                    time.sleep(chance.choice([0, 0, 0.002, 0.02]))
                    if chance.random() < 0.2:
                        raise InterruptedError
            except InterruptedError:
                continue
            written += len(rows)
            for owner in chosen:
                aggregates[owner] += 1
        return written

    def keep_numbering() -> int:
        with connect("test") as session:
            numbered = 0
            while not stop.is_set():
                numbered += number(session, 7)
            while more := number(session, 7):
                numbered += more
        return numbered

    with ThreadPoolExecutor(9) as pool:
        numbering = pool.submit(in_thread(keep_numbering))
        written = sum(pool.map(lambda seed: in_thread(lambda: write(seed))(), range(8)))
        stop.set()
        assert numbering.result() == written == DomainEvent.objects.count()
    numbers: dict[tuple[str, int], list[int]] = {}
    versions: dict[object, int] = {}
    for row in DomainEvent.objects.order_by("topic", "partition", "sequence"):
        numbers.setdefault((row.topic, row.partition), []).append(row.sequence)
        assert row.aggregate_version == versions.get(row.aggregate_id, 0) + 1, "versions out of order"
        versions[row.aggregate_id] = row.aggregate_version
    for pair, sequences in numbers.items():
        assert sequences == list(range(1, len(sequences) + 1)), f"{pair} is not dense"
        assert StreamHead.objects.get(topic=pair[0], partition=pair[1]).sequence == len(sequences)


def test_the_log_says_which_event_has_a_sequence(shop_database: None) -> None:
    rows = record_events(3)
    with connect("test") as session:
        number(session, 10)
    numbered = {(r.topic, r.partition, r.sequence): r.event_id for r in DomainEvent.objects.all()}
    assert len(numbered) == len(rows)
    asked = [*numbered, (rows[0].topic, rows[0].partition, 99)]
    assert PostgresEventLog().event_ids(asked) == numbered
    assert PostgresEventLog().event_ids([]) == {}


@pytest.mark.parametrize("size", [1, 2, 3, 2000])
def test_the_log_is_read_in_pages(shop_database: None, monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Whatever their size: in order, from the first to the last that was asked for, nothing twice, of one partition."""
    monkeypatch.setattr(log, "READ_CHUNK", size)
    topic, owner = BY_AGGREGATE["cart"], uuid4()
    place = (topic.name, partition_of(topic, owner))
    elsewhere = next(other for other in iter(uuid4, None) if partition_of(topic, other) != place[1])
    with transaction.atomic():
        insert_events([event_row(owner, version) for version in range(1, 8)])
        insert_events([event_row(elsewhere, version) for version in range(1, 8)])
        insert_events([event_row(owner, version, "product") for version in range(1, 8)])
    with connect("test") as session:
        assert number(session, 99) == 21
    with transaction.atomic():
        insert_events([event_row(owner, 8)])  # has no number yet
    read = PostgresEventLog()

    def sequences(first: int, last: int) -> list[int | None]:
        found = list(islice(read.read(*place, first, last), 20))
        assert {event.aggregate_id for event in found} <= {owner}
        return [event.sequence for event in found]

    assert sequences(1, 99) == [1, 2, 3, 4, 5, 6, 7]
    assert sequences(2, 5) == [2, 3, 4, 5]
    assert sequences(8, 99) == []
    versions = [event.aggregate_version for event in islice(read.read_aggregate("cart", owner, 3), 20)]
    assert versions == [3, 4, 5, 6, 7]
    assert list(islice(read.read_aggregate("cart", uuid4(), 1), 20)) == []


def test_what_is_numbered_between_two_pages_is_read_and_the_epoch_stays(
    shop_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "READ_CHUNK", 2)
    topic, owner = BY_AGGREGATE["cart"], uuid4()
    with transaction.atomic():
        insert_events([event_row(owner, version) for version in (1, 2)])
    with connect("test") as session:
        assert number(session, 9) == 2
        reading = PostgresEventLog().read(topic.name, partition_of(topic, owner), 1, 99)
        LogEpoch.objects.create(epoch=2, started_at=datetime.now(UTC))
        found = [next(reading), next(reading)]
        with transaction.atomic():
            insert_events([event_row(owner, 3)])
        assert number(session, 9) == 1
    found += islice(reading, 20)
    assert [(event.sequence, event.log_epoch) for event in found] == [(1, 1), (2, 1), (3, 1)]


def test_what_is_read_is_what_was_recorded(shop_database: None) -> None:
    data = {"text": "ü", "number": 2**53, "list": [1, None, {"a": True}]}
    sealed = {"subject": "customer:1", "sealed": "AAAA"}
    told = {"actor": "test", "traceparent": "00-1-2-3", "correlation_id": "c-1"}
    row = event_row(data=data, personal=sealed, metadata=told)
    with transaction.atomic():
        insert_events([row])
    with connect("test") as session:
        assert number(session, 1) == 1
    (event,) = PostgresEventLog().read(row.topic, row.partition, 1, 1)
    assert (event.event_id, event.data, event.personal) == (row.event_id, data, Sealed(**sealed))
    assert (event.occurred_at, event.recorded_at) == (row.occurred_at, row.recorded_at)
    assert event.occurred_at.tzinfo is UTC
    assert (event.traceparent, event.correlation_id, event.log_epoch) == ("00-1-2-3", "c-1", 1)
