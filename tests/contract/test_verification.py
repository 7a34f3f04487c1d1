"""Verification finds what is wrong in documents, and nothing where workers are only on their way."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast
from uuid import UUID

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from acme.ports import EventLog
from projections.registry import PROJECTIONS
from projections.runtime.checkpoints import Checkpoints
from projections.runtime.projection import Projection
from projections.verification.against_log import AgainstLog, Difference, Verified
from tests.contract.feeding import WholeLog, feed, letters_of, new_applier, pending, relevant, streams_of
from tests.contract.history import History, plain_unseal
from tests.integration.projections.test_stopped import FAILING, poisoned, some_victims

STREAM = History(seed=31, size=8).interleaved(7)
every_projection = pytest.mark.parametrize("projection", PROJECTIONS.values(), ids=list(PROJECTIONS))


@pytest.fixture
def store(mongo: str, mongo_database: str) -> Iterator[Database[Any]]:
    with MongoClient(mongo, tz_aware=True) as client:
        yield client[mongo_database]


def verified(store: Database[Any], projection: Projection, only: set[str] | None = None) -> Verified:
    log = cast(EventLog, WholeLog(STREAM))
    return AgainstLog(store, log, plain_unseal, projection, 1, pause=0.0).verify(only)


def kinds(found: Verified) -> set[tuple[str, str]]:
    return {(difference.document, difference.kind) for difference in found.differences}


def some(store: Database[Any], projection: Projection) -> dict[str, Any]:
    """A document, always the same."""
    return next(store[f"{projection.name}__g1"].find().sort("_id", 1))


@every_projection
def test_nothing_differs_when_all_is_applied(projection: Projection, store: Database[Any]) -> None:
    stream = relevant(projection, STREAM)
    feed(new_applier(store, projection, streams_of(stream)), stream)
    found = verified(store, projection)
    assert found.differences == []
    assert (found.documents, found.events) == (store[f"{projection.name}__g1"].count_documents({}), len(stream))
    key = some(store, projection)["_id"]
    assert verified(store, projection, {key}).documents == 1


@every_projection
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_nothing_differs_on_the_way(
    projection: Projection, seed: int, store: Database[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Some events are applied, some are in documents whose checkpoint was not written, some are not there yet."""
    stream, borders = relevant(projection, STREAM), random.Random(seed)
    applier = new_applier(store, projection, streams_of(stream))
    feed(applier, stream[: borders.randint(1, len(stream) - 1)])
    rest = pending(applier, stream)

    def killed(self: Checkpoints, moves: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, suppress(KeyboardInterrupt):
        patch.setattr(Checkpoints, "advance", killed)
        applier.apply(rest[: borders.randint(0, len(rest))], {})
    assert verified(store, projection).differences == []


@pytest.mark.parametrize("name", FAILING)
def test_what_is_parked_is_no_difference(name: str, store: Database[Any]) -> None:
    projection = PROJECTIONS[name]
    stream = relevant(projection, STREAM)
    victims = some_victims(stream, FAILING[name], 2)
    feed(new_applier(store, poisoned(projection, victims), streams_of(stream)), stream)
    assert letters_of(store)
    found = verified(store, projection)
    assert (found.differences, found.parked) == ([], len(victims))


@every_projection
def test_each_kind_of_damage_is_found(projection: Projection, store: Database[Any]) -> None:
    """The check can fail: a document is lost, invented, and changed anywhere."""
    stream = relevant(projection, STREAM)
    feed(new_applier(store, projection, streams_of(stream)), stream)
    collection = store[f"{projection.name}__g1"]
    document = some(store, projection)
    key = document["_id"]
    for path, value in _leaves(document):
        collection.update_one({"_id": key}, {"$set": {path: _other(value)}})
        assert (key, "differs") in kinds(verified(store, projection, {key})), path
        collection.replace_one({"_id": key}, document)
    collection.update_one({"_id": key}, {"$set": {"invented": 1}})
    assert kinds(verified(store, projection)) == {(key, "differs")}
    collection.replace_one({"_id": key}, document)
    invented = str(UUID(int=4711))
    collection.insert_one({**document, "_id": invented})
    assert (invented, "surplus") in kinds(verified(store, projection))
    collection.delete_one({"_id": invented})
    collection.delete_one({"_id": key})
    expires = projection.headers_only is not None
    assert kinds(verified(store, projection)) == (set() if expires else {(key, "missing")})


def test_an_event_that_todays_code_cannot_apply_is_said(store: Database[Any]) -> None:
    projection = PROJECTIONS["orders"]
    stream = relevant(projection, STREAM)
    feed(new_applier(store, projection, streams_of(stream)), stream)
    (victim,) = some_victims(stream, FAILING["orders"], 1)
    found = verified(store, poisoned(projection, {victim}))
    refused = [difference for difference in found.differences if difference.kind == "refused"]
    assert [difference.aggregate for difference in refused] == [victim]
    assert isinstance(refused[0], Difference) and refused[0].error


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Paths of everything that is no bookkeeping, lists as a whole."""
    for name, item in value.items():
        if name in {"_id", "fences", "late", "late_revision", "topic", "partition", "sequence", "seen_at"}:
            continue
        where = f"{path}.{name}" if path else name
        if isinstance(item, dict) and item:
            yield from _leaves(item, where)
        elif name != "version" or path or item is not None:
            yield where, item


def _other(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int) else "changed"
