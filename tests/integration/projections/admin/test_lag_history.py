"""Samples of lag: one for each projection and quarter of a minute, null where nothing is known, gone after a day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.database import Database

from acme.celery import app
from projections.history.samples import COLLECTION, INTERVAL, read_samples, take_samples
from projections.history.tasks import sample
from tests.integration.projections.admin.parked import letter, park, running

Store = Database[dict[str, Any]]
#: The beginning of an interval.
NOW = datetime.fromtimestamp(datetime.now(UTC).timestamp() // 15 * 15, UTC)


def test_a_sample_says_what_waits_and_two_samplers_make_one(store: Store) -> None:
    running(store)
    park(store, letter(1), letter(2))
    store["stream_heads"].update_one({"_id": "acme.catalog|0"}, {"$set": {"sequence": 10, "published": 9}})
    seen = {"seen_at": NOW, "complete_to": NOW}
    store["stream_heads"].update_many({}, {"$set": seen})
    store["projection_workers"].update_many({}, {"$set": {"complete_to": NOW - timedelta(seconds=30)}})
    for moment in (NOW, NOW + timedelta(seconds=4)):
        assert take_samples(store, now=moment) == 1
    (taken,) = read_samples(store, "products", NOW - timedelta(hours=1))
    assert (taken.waiting, taken.parked) == (3, 2) and taken.seconds is not None and 30 <= taken.seconds <= 40
    assert taken.at == NOW + timedelta(seconds=4)


def test_what_is_not_known_is_null_and_samples_come_in_order(store: Store) -> None:
    running(store)
    moments = [NOW + INTERVAL * n for n in (2, 0, 1)]
    for moment in moments:
        store["stream_heads"].update_many({}, {"$set": {"seen_at": moment, "complete_to": moment}})
        take_samples(store, now=moment)
    take_samples(store, now=NOW + INTERVAL * 20)
    found = read_samples(store, "products", NOW)
    assert [taken.at for taken in found] == [NOW + INTERVAL * n for n in (0, 1, 2, 20)]
    assert (found[-1].seconds, found[-1].waiting) == (None, None)
    assert all(taken.waiting == 0 for taken in found[:-1])
    assert [taken.at for taken in read_samples(store, "products", NOW + INTERVAL)] == [t.at for t in found[1:]]


def test_samples_go_away_by_themselves(store: Store) -> None:
    running(store)
    take_samples(store)
    indexes = store[COLLECTION].index_information()
    assert indexes["at_1"]["expireAfterSeconds"] == 24 * 3600 and "projection_1_at_1" in indexes


def test_celery_knows_the_task_and_beat_calls_it(store: Store) -> None:
    app.loader.import_default_modules()
    name = app.conf.beat_schedule["sample-lag"]["task"]
    assert app.conf.beat_schedule["sample-lag"]["schedule"] == INTERVAL.total_seconds()
    running(store)
    assert app.tasks[name]() == 1
    assert store[COLLECTION].count_documents({}) == 1


def test_an_outage_is_no_error(point_mongodb: Callable[[str | None], None], gone: str) -> None:
    point_mongodb(f"mongodb://{gone}/acme?serverSelectionTimeoutMS=300")
    assert sample() == 0
    point_mongodb(None)
    assert sample() == 0
