"""From documents in the engines to a real mail server and a real web server: one message each, then "over" once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from pymongo.database import Database

from acme.alert_settings import AlertSettings, read_alerts
from acme.celery import app
from acme.devstack.engine import EngineServer
from acme.metrics import ALERTS_FAILED, ALERTS_SENT
from acme.ports import event_log
from commands.outbox import standing
from commands.outbox.direct import connect
from commands.outbox.log import insert_events
from commands.outbox.models import DomainEvent, LogEpoch, StreamHead
from commands.outbox.sequencer import number
from projections.alerting import book, outage, snapshot, tasks
from projections.alerting import channels as channels_module
from projections.alerting.book import Book
from projections.alerting.causes import assess
from projections.alerting.channels import configured
from projections.alerting.check import Checked, run_check
from projections.alerting.facts import Snapshot
from projections.alerting.message import signature
from projections.alerting.outage import OutageBook
from projections.alerting.snapshot import take_snapshot
from projections.registry import PROJECTIONS
from tests.integration.outbox.conftest import event_row, record_events
from tests.integration.projections.alerting.standing import Standing
from tests.sinks import HttpSink, SmtpSink

Store = Database[dict[str, Any]]
pytestmark = pytest.mark.usefixtures("shop_database")
START = datetime.now(UTC).replace(microsecond=0)


def to(smtp: SmtpSink, hook: HttpSink, **more: Any) -> AlertSettings:
    return replace(read_alerts({**smtp.environment, **hook.environment}), **more)


def check(settings: AlertSettings, seconds: float) -> Checked:
    """One check as the Celery task makes it, so many seconds after the start."""
    return run_check(take_snapshot(START + timedelta(seconds=seconds)), configured(settings), settings)


# ---------------------------------------------------------------- dead letters
def one_message_each_then_over(store: Store, smtp: SmtpSink, hook: HttpSink) -> None:
    settings, products = to(smtp, hook), Standing(store)

    def pass_by(seconds: float) -> Checked:
        products.well(START + timedelta(seconds=seconds))
        return check(settings, seconds)

    assert pass_by(0) == Checked(holding=(), sent=0, failed=0)
    products.letters(START, failing=2, held=40)
    for seconds in range(10, 100, 10):
        assert pass_by(seconds).holding == ("dead-letters:products",)
    (mail,), (post,) = smtp.mails, hook.posts
    assert (mail.fact("Cause"), mail.fact("State"), post.json["state"]) == ("dead-letters:products", "open", "open")
    assert mail.subject == "[acme] warning: products: 42 events parked as dead letters (ValueError at ProductRenamed)"
    assert "manage.py projector dlq list products" in post.json["details"]
    assert "ann@acme.test" not in mail.text + post.body.decode(), "an exception's text may hold personal data"
    assert post.json["id"] == mail.id
    seconds, _, given = post.headers["acme-signature"].removeprefix("t=").partition(",")
    assert given == signature(hook.secret, int(seconds), post.body).partition(",")[2]
    store["projection_dead_letters"].delete_many({})
    for seconds in range(100, 200, 10):
        assert pass_by(seconds).holding == ()
    assert [mail.fact("State") for mail in smtp.mails] == ["open", "over"]
    assert [post.json["state"] for post in hook.posts] == ["open", "over"]
    assert len({mail.id for mail in smtp.mails}) == 2


def test_one_message_each_then_over(read_store: Store, smtp: SmtpSink, hook: HttpSink) -> None:
    before = ALERTS_SENT.labels("dead-letters", "webhook")._value.get()
    one_message_each_then_over(read_store, smtp, hook)
    assert ALERTS_SENT.labels("dead-letters", "webhook")._value.get() == before + 2


def test_defect_another_secret(
    read_store: Store, smtp: SmtpSink, hook: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(channels_module, "signature", lambda secret, at, body: signature("another", at, body))
    with pytest.raises(AssertionError):
        one_message_each_then_over(read_store, smtp, hook)


def test_defect_claims_that_are_not_kept(
    read_store: Store, smtp: SmtpSink, hook: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Book, "sent", lambda self, claim, due, now: None)
    monkeypatch.setattr(book, "CLAIM", timedelta())
    with pytest.raises((AssertionError, ValueError)):
        one_message_each_then_over(read_store, smtp, hook)


def test_a_refusing_mail_server_does_not_repeat_the_webhook(read_store: Store, smtp: SmtpSink, hook: HttpSink) -> None:
    settings, products = to(smtp, hook), Standing(read_store)
    failed = ALERTS_FAILED.labels("dead-letters", "email")._value.get()
    products.well(START)
    products.letters(START)
    smtp.refuse = "451 not now"
    assert check(settings, 1) == Checked(holding=("dead-letters:products",), sent=1, failed=1)
    assert check(settings, 5).failed == 1
    smtp.refuse = None
    assert check(settings, 9).sent == 1
    assert (len(smtp.mails), len(hook.posts)) == (1, 1)
    assert smtp.mails[0].id == hook.posts[0].json["id"]
    assert ALERTS_FAILED.labels("dead-letters", "email")._value.get() == failed + 2


def test_a_gap_is_not_over_because_its_worker_was_killed(read_store: Store, smtp: SmtpSink, hook: HttpSink) -> None:
    """Another worker lives, and for minutes nobody has the partition: over it is when its next owner goes on."""
    settings, products = to(smtp, hook), Standing(read_store)
    gap = {"topic": "acme.catalog", "partition": 0, "kind": "gap", "why": "7 to 9 are missing", "since": START}
    mine = [{"topic": "acme.catalog", "partition": 0, "sequence": 6}]
    products.well(START)
    products.worker(START, pid=8, partitions=mine, blocked=[gap])

    def pass_by(first: int, last: int, **other: Any) -> list[str]:
        for seconds in range(first, last, 10):
            now = START + timedelta(seconds=seconds)
            products.heads(now)
            products.worker(now, **other)
            check(settings, seconds)
        return [post.json["state"] for post in hook.posts if post.json["key"] == "gap:products:acme.catalog[0]"]

    assert pass_by(1, 200) == ["open"]
    assert pass_by(200, 400, partitions=mine, blocked=[gap]) == ["open"]
    assert pass_by(400, 600, partitions=mine) == ["open", "over"]


# ---------------------------------------------------------------- what is read from the engines
def test_a_snapshot_of_mongodb(read_store: Store) -> None:
    products = Standing(read_store)
    products.well(START - timedelta(seconds=70))
    part = {"topic": "acme.catalog", "partition": 3, "kind": "gap", "why": "7 to 9 are missing", "since": START}
    products.worker(
        START, state="blocked", blocked=[part], partitions=[{"topic": "acme.catalog", "partition": 3, "sequence": 6}]
    )
    products.letters(START, failing=1, held=2)
    read_store["projection_dead_letters"].insert_one({"_id": "old", "projection": "products", "generation": 9,
                                                      "state": "parked", "first_at": START})  # fmt: skip
    products.letters(START, failing=0, held=0)
    (found,) = take_snapshot(START).projections or ()
    assert (found.name, found.generation, found.paused) == ("products", 1, {})
    assert (found.lag, found.known_at) == (None, START - timedelta(seconds=70))
    (letters,) = found.letters
    assert (letters.failing, letters.held, letters.oldest_at, letters.error) == (1, 2, START, "ValueError")
    (worker,) = found.workers
    assert found.alive(START) == [worker]
    assert [(blocked.stream, blocked.kind, blocked.since) for blocked in worker.blocked] == [
        ("acme.catalog[3]", "gap", START)
    ]
    assert worker.holds == {"acme.catalog[3]"}
    assert found.streams == found.unattended(START) == {f"{topic}[0]" for topic in PROJECTIONS["products"].topics}


def test_documents_of_an_older_worker_have_no_lease(read_store: Store) -> None:
    Standing(read_store).well(START)
    read_store["projection_workers"].update_many({}, {"$unset": {"lease_until": "", "state": ""}})
    (found,) = take_snapshot(START).projections or ()
    assert len(found.alive(START)) == 1


def test_a_snapshot_of_postgresql() -> None:
    assert event_log().publisher().oldest_recorded_at is None
    first, second = record_events(2)
    DomainEvent.objects.filter(pk=second.pk).update(sequence=1)
    LogEpoch.objects.create(epoch=3, started_at=START, halted_reason="diverged")
    found = take_snapshot().publisher
    assert found is not None
    assert (found.epoch, found.halted_reason, found.unnumbered, found.unpublished) == (3, "diverged", 1, 0)
    assert found.oldest_recorded_at == first.recorded_at


def test_what_is_numbered_and_not_in_kafka_waits_too() -> None:
    (row,) = record_events(1)
    with connect("test") as session:
        number(session, 10)
    found = event_log().publisher()
    assert (found.unnumbered, found.unpublished, found.oldest_recorded_at) == (0, 1, row.recorded_at)
    StreamHead.objects.update(published=1)
    found = event_log().publisher()
    assert (found.unpublished, found.oldest_recorded_at, found.published) == (0, None, 1)


# ---------------------------------------------------------------- an engine that is away
@pytest.fixture
def broker(redis: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The session's Redis, without what another test has left; who asks a server that is away waits only shortly."""
    monkeypatch.setattr(snapshot, "READ_SECONDS", 0.3)
    with outage.connect(redis) as client:
        for key in client.scan_iter("acme:alerts:*"):
            client.delete(key)
    return redis


def mongodb_away_is_told_once(
    server: EngineServer, point: Callable[[str], None], smtp: SmtpSink, hook: HttpSink
) -> None:
    settings = to(smtp, hook)
    point(server.url)
    server.kill()
    for seconds in (0, 10, 20, 30, 40):
        assert "read-store:unreachable" in check(settings, seconds).holding
    assert [mail.fact("State") for mail in smtp.mails] == ["open"]
    assert [post.json["key"] for post in hook.posts] == ["read-store:unreachable"]
    server.start()
    for seconds in (50, 60, 70, 80):
        check(settings, seconds)
    assert [mail.fact("State") for mail in smtp.mails] == ["open", "over"]
    assert [post.json["state"] for post in hook.posts] == ["open", "over"]
    assert check(settings, 90).sent == 0


def test_mongodb_away_is_told_once(
    mongo_server: EngineServer,
    point_mongodb: Callable[[str], None],
    broker: str,
    smtp: SmtpSink,
    hook: HttpSink,
) -> None:
    mongodb_away_is_told_once(mongo_server, point_mongodb, smtp, hook)
    with outage.connect(broker) as client:
        assert list(client.scan_iter("acme:alerts:*")) == []


def test_defect_an_outage_is_not_remembered(
    mongo_server: EngineServer,
    point_mongodb: Callable[[str], None],
    broker: str,
    smtp: SmtpSink,
    hook: HttpSink,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(OutageBook, "sent", lambda self, claim, due, now: claim.release())
    with pytest.raises(AssertionError):
        mongodb_away_is_told_once(mongo_server, point_mongodb, smtp, hook)


def test_short_absences_are_not_told(read_store: Store, broker: str, smtp: SmtpSink, hook: HttpSink) -> None:
    """Not one, and not several with MongoDB being there between them."""
    settings = to(smtp, hook)
    for seconds in (0, 10, 15, 30, 40, 60, 65):
        away = Snapshot(at=START + timedelta(seconds=seconds), projections=None, read_store_error="fail-over")
        assert run_check(away, configured(settings), settings).sent == 0
        if seconds in {15, 40}:
            assert check(settings, seconds + 5).sent == 0


def test_two_who_see_mongodb_away_at_once(broker: str, smtp: SmtpSink, hook: HttpSink) -> None:
    """One claims, and the other sends nothing, neither meanwhile nor afterwards."""
    settings = to(smtp, hook, unreachable=0.001)
    away = Snapshot(at=START + timedelta(seconds=1), projections=None, read_store_error="away")
    first, second = (OutageBook(outage.connect(broker), settings) for _ in range(2))
    found = assess(away, settings)
    first.note(found, START)
    second.note(found, START)
    (mine,) = first.due(("email",), found, away.at)
    (theirs,) = second.due(("email",), found, away.at)
    assert mine.message.id == theirs.message.id
    claim = first.claim(mine, away.at)
    assert claim is not None
    assert second.claim(theirs, away.at) is None
    first.sent(claim, mine, away.at)
    assert second.claim(theirs, away.at) is None, "it was told meanwhile"


def test_postgresql_away_is_told_and_what_it_hides_is_left_alone(
    read_store: Store, smtp: SmtpSink, hook: HttpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, products = to(smtp, hook), Standing(read_store)
    insert_events([event_row(recorded_at=START)])
    for seconds in (40, 50):
        products.well(START + timedelta(seconds=seconds))
        assert check(settings, seconds).holding == ("publisher:standing-still",)
    assert len(hook.about("publisher:standing-still")) == 1

    def gone(name: str) -> Any:
        connection = connect(name)
        connection.close()
        raise psycopg.OperationalError("connection refused")

    with monkeypatch.context() as patch:
        patch.setattr(standing, "connect", gone)
        for seconds in range(60, 160, 10):
            products.well(START + timedelta(seconds=seconds))
            assert check(settings, seconds).holding == ("event-log:unreachable",)
    assert [post.json["key"] for post in hook.posts] == ["publisher:standing-still", "event-log:unreachable"]
    for seconds in (160, 170, 180, 190):
        products.well(START + timedelta(seconds=seconds))
        check(settings, seconds)
    assert [post.json["state"] for post in hook.posts] == ["open", "open", "over"]


# ---------------------------------------------------------------- the task
def test_the_task_is_on_the_timetable_and_runs(read_store: Store, broker: str, settings: Any) -> None:
    app.loader.import_default_modules()
    entry = settings.CELERY_BEAT_SCHEDULE["check-alerts"]
    assert (entry["task"], entry["schedule"], entry["options"]["expires"]) == (tasks.check.name, 10.0, 10)
    assert entry["task"] in app.tasks
    assert tasks.check() == 0
