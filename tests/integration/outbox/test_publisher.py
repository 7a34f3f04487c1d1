"""From log to Kafka: everything once and in order, one publisher at a time, woken in milliseconds."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from celery import current_app

from commands.outbox import tasks, wake
from commands.outbox.lane import Lane
from commands.outbox.models import DataSubjectKey, DomainEvent
from commands.outbox.personal import DataSubjectKeys, seal
from commands.outbox.publisher import Publisher
from tests.broker import Broker
from tests.integration.outbox.conftest import (
    assert_complete,
    event_row,
    in_thread,
    manage,
    read_kafka,
    record_events,
    wait_until,
)


def test_every_event_reaches_kafka_once_and_in_order(publisher: Publisher, kafka_broker: Broker) -> None:
    record_events(3_000)
    record_events(300, aggregate_type="order")
    assert publisher.drain() == 3_300
    record_events(1)
    assert publisher.drain() == 1
    assert publisher.drain() == 0
    assert assert_complete(read_kafka(kafka_broker.url)) == 0


def test_two_publishers_at_once(publisher: Publisher, kafka_broker: Broker) -> None:
    """They never work at the same time, so there are not even duplicates, and who does not get the lane is done."""
    stop = threading.Event()

    def publish() -> int:
        sent = 0
        with Publisher(kafka_broker.url) as own:
            while not stop.is_set():
                sent += own.drain()
        return sent

    with ThreadPoolExecutor(4) as pool:
        publishers = [pool.submit(in_thread(publish)) for _ in range(2)]
        for _ in pool.map(lambda _: in_thread(lambda: [record_events(3) for _ in range(50)])(), range(2)):
            pass
        wait_until(lambda: not DomainEvent.objects.filter(sequence=None).exists())
        stop.set()
        sent = [done.result() for done in publishers]
    publisher.drain()
    assert sum(sent) == 300
    assert assert_complete(read_kafka(kafka_broker.url)) == 0


def test_the_holder_looks_once_more_after_unlocking(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    """An event that is committed between the holder's last look and its unlocking finds the lane taken."""
    release = Lane.release

    def commit_just_before(lane: Lane) -> None:
        if DomainEvent.objects.count() == 1:
            record_events(1)
            with Publisher("127.0.0.1:1") as other:
                assert other.drain() == 0, "the lane is taken"
        release(lane)

    monkeypatch.setattr(Lane, "release", commit_just_before)
    record_events(1)
    assert publisher.drain() == 2


def test_a_stopped_holder_loses_the_lane(publisher: Publisher, kafka_broker: Broker) -> None:
    """SIGSTOP while it holds the lane: PostgreSQL ends its silent session, and another publisher goes on."""
    record_events(20)
    holder = manage(kafka_broker.url, "shell", "-c", HOLD_THE_LANE)
    assert holder.stdout is not None
    while "held" not in holder.stdout.readline():
        assert holder.poll() is None
    os.kill(holder.pid, signal.SIGSTOP)
    try:
        assert publisher.drain() == 0, "the lane is taken"
        wait_until(lambda: publisher.drain() == 20, seconds=15)
        os.kill(holder.pid, signal.SIGCONT)
        assert "lost: IdleSessionTimeout" in holder.communicate(timeout=20)[0]
    finally:
        holder.kill()
    assert assert_complete(read_kafka(kafka_broker.url)) == 0


HOLD_THE_LANE = """
import time
from commands.outbox import lane
lane.SILENCE_SECONDS = 2
lane = lane.Lane()
assert lane.acquire()
print("held", flush=True)
while True:
    time.sleep(0.5)
    try:
        lane.ping()
    except Exception as error:
        print("lost:", type(error).__name__)
        break
"""


def test_a_lane_that_is_pinged_is_kept(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("commands.outbox.lane.SILENCE_SECONDS", 2)
    lane = Lane()
    assert lane.acquire()
    for _ in range(4):
        time.sleep(1)
        lane.ping()
    assert publisher.drain() == 0
    lane.release()
    time.sleep(3)  # without the lane silence is allowed: a web process keeps its session
    assert lane.acquire()
    lane.close()


def test_a_commit_is_acknowledged_within_milliseconds(publisher: Publisher, kafka_broker: Broker) -> None:
    """The thread that `wake_publisher` wakes; its median from commit to moved cursor is printed."""
    thread = wake.PublisherThread(kafka_broker.url)
    thread.start()
    record_events(1)
    thread.wake()
    with psycopg.connect(**_parameters(), autocommit=True) as session:
        took = []
        for _ in range(30):
            wait_until(lambda: not _backlog(session))
            record_events(1)
            started = time.perf_counter()
            thread.wake()
            while _backlog(session):
                time.sleep(0.0005)
            took.append(time.perf_counter() - started)
    thread.stop()
    assert not thread.is_alive()
    print(json.dumps({"commit_to_acknowledged_ms": {"p50": sorted(took)[15] * 1000, "max": max(took) * 1000}}))
    assert_complete(read_kafka(kafka_broker.url))
    assert sorted(took)[15] < 0.5, "not a measure, but a thread that waits for its poll would need a second"


def test_a_thread_is_made_per_process_and_stopped(publisher: Publisher, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wake, "enabled", True)
    monkeypatch.setattr(wake, "env", type("Env", (), {"kafka_bootstrap_servers": "127.0.0.1:1"}))
    record_events(1)
    wake.wake_publisher()
    parent = wake._current
    assert parent is not None
    wake.wake_publisher()
    assert wake._current is parent
    child = os.fork()
    if child == 0:
        os._exit(0 if wake._current is None and wake._making.acquire(blocking=False) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    wake.stop_publisher()
    assert not parent.is_alive()
    assert wake._current is None


def test_the_sweep_publishes_only_what_is_overdue(
    publisher: Publisher, kafka_broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "env", type("Env", (), {"require": lambda name: kafka_broker.url}))
    record_events(1)
    assert tasks.sweep() == 0
    monkeypatch.setattr(tasks, "AGE", 0)
    assert tasks.sweep() == 1
    assert tasks.sweep() == 0
    assert "commands.outbox.sweep" in current_app.tasks


def test_personal_data_is_sealed_on_the_wire_and_opens_only_with_its_key(
    publisher: Publisher, kafka_broker: Broker
) -> None:
    row = event_row(aggregate_type="customer", event_type="CustomerRegistered")
    row.personal = seal(f"customer:{row.aggregate_id}", row.event_id, {"email": "ada@example.org", "name": "Ada"})
    row.save(force_insert=True)
    publisher.drain()
    (envelopes,) = read_kafka(kafka_broker.url).values()
    raw = repr(envelopes) + repr(DomainEvent.objects.values())
    assert "ada@example.org" not in raw
    assert "Ada" not in raw
    sealed = envelopes[0].personal
    assert sealed is not None
    assert DataSubjectKeys().unseal(sealed, row.event_id) == {"email": "ada@example.org", "name": "Ada"}
    with pytest.raises(ValueError, match="does not open"):
        DataSubjectKeys().unseal(sealed, event_row().event_id)
    DataSubjectKey.objects.all().delete()
    assert DataSubjectKeys().unseal(sealed, row.event_id) is None


def _backlog(session: psycopg.Connection) -> bool:
    row = session.execute(
        "SELECT EXISTS (SELECT FROM domain_event WHERE sequence IS NULL) "
        "OR EXISTS (SELECT FROM stream_head WHERE published < sequence)"
    ).fetchone()
    return bool(row and row[0])


def _parameters() -> dict[str, str]:
    from django.db import connection

    settings = connection.settings_dict
    return {
        "dbname": settings["NAME"],
        "user": settings["USER"],
        "password": settings["PASSWORD"],
        "host": settings["HOST"],
        "port": settings["PORT"],
    }
