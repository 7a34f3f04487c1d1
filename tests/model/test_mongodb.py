"""The model's MongoDB does what a real server does: the same random commands, the same answers and documents.

What is drawn is what the runtime sends: guarded updates, inserts where nothing was seen, markers, letters, pipelines.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pymongo import DeleteOne, InsertOne, MongoClient, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError

from projections.registry import PROJECTIONS
from tests.model.actors import Actors, Clock
from tests.model.mongodb import Store

KEYS = st.sampled_from(["a", "b", "c"])
NUMBERS = st.integers(0, 3)
NAMES = st.sampled_from(["n1", "n2", "n3"])
MOMENTS = st.integers(0, 3).map(lambda second: datetime(2026, 1, 1, 0, 0, second, 123000, tzinfo=UTC))
MISSING = st.just({"$exists": False})
COMPUTED = PROJECTIONS["products"].computed

versions = st.one_of(NUMBERS, MISSING)
filters = st.fixed_dictionaries(
    {"_id": KEYS},
    optional={
        "version": versions,
        "part.version": versions,
        "fences.f-1": versions,
        "print": st.one_of(NAMES, MISSING),
        "late_revision": versions,
    },
)
#: Operators on fields that do not overlap, as MongoDB demands.
operators = st.fixed_dictionaries(
    {
        "$set": st.fixed_dictionaries(
            {"version": NUMBERS}, optional={"fences.f-1": NUMBERS, "at": MOMENTS, "print": NAMES}
        )
    },
    optional={
        "$inc": st.fixed_dictionaries({"late_revision": NUMBERS}, optional={"sums.x": NUMBERS}),
        "$min": st.fixed_dictionaries({"lowest": NUMBERS}),
        "$max": st.fixed_dictionaries({"passed.to": NUMBERS}),
        "$unset": st.just({"names": ""}) | st.just({"outcome.request": ""}),
        "$setOnInsert": st.fixed_dictionaries({"first": MOMENTS}, optional={"static.kind": NAMES}),
        "$push": st.fixed_dictionaries({"late": st.lists(NAMES, min_size=1, max_size=2).map(lambda n: {"$each": n})}),
    },
)
variants = st.lists(st.sampled_from(["v1", "v2"]), max_size=2, unique=True)
pipelines = st.one_of(
    variants.map(lambda ids: {"product": {"$literal": {"name": "$x", "variants": [{"variant_id": i} for i in ids]}}}),
    st.tuples(st.sampled_from(["v1", "v2"]), NUMBERS).map(
        lambda item: {f"stock.{item[0]}": {"$literal": {"available": item[1], "version": 1}}}
    ),
).map(lambda values: [{"$set": values}, *COMPUTED])
writes = st.one_of(
    st.builds(UpdateOne, filters, operators, upsert=st.booleans()),
    st.builds(UpdateOne, filters, pipelines, upsert=st.booleans()),
    st.builds(UpdateOne, KEYS.map(lambda key: {"_id": key}), operators, upsert=st.just(True)),
)
new = st.fixed_dictionaries(
    {"_id": KEYS, "version": NUMBERS}, optional={"part": st.just({"version": 1}), "at": MOMENTS}
)
selections = st.one_of(
    st.lists(KEYS, max_size=3).map(lambda keys: {"_id": {"$in": keys}}),
    st.fixed_dictionaries({}, optional={"version": NUMBERS | st.none(), "print": NAMES | st.none()}),
    NUMBERS.map(lambda number: {"fences.f-1": {"$gte": number}}),
    NUMBERS.map(lambda number: {"version": {"$lt": number}, "print": {"$ne": None}}),
    NUMBERS.map(lambda number: {"passed.to": {"$gt": number}}),
    MOMENTS.map(lambda moment: {"at": {"$lte": moment}}),
    NAMES.map(lambda name: {"print": {"$in": [None, name]}}),
    st.just({"late.0": {"$exists": True}}),
)
many = st.one_of(
    st.tuples(NAMES, NUMBERS).map(lambda x: {"$addToSet": {"late": x[0]}, "$inc": {"late_revision": x[1]}}),
    st.just({"$unset": {"print": ""}}),
)


@st.composite
def replacements(draw: st.DrawFn) -> ReplaceOne[Any]:
    document = draw(new)
    return ReplaceOne(draw(filters) | {"_id": document["_id"]}, document)


commands = st.lists(
    st.one_of(
        st.tuples(st.just("write"), st.lists(writes | replacements(), min_size=1, max_size=4)),
        st.tuples(st.just("write"), st.lists(st.builds(DeleteOne, filters), min_size=1, max_size=2)),
        st.tuples(st.just("write"), st.lists(st.builds(InsertOne, new) | writes, min_size=1, max_size=4)),
        st.tuples(st.just("find"), selections),
        st.tuples(st.just("update many"), st.tuples(selections, many)),
        st.tuples(st.just("delete many"), selections),
        st.tuples(st.just("distinct"), selections),
        st.tuples(st.just("highest"), st.just("$fences.f-1")),
    ),
    max_size=8,
)


@pytest.fixture(scope="module")
def client(mongo: str) -> Iterator[MongoClient[Any]]:
    with MongoClient(mongo, tz_aware=True) as connected:
        yield connected
        connected.drop_database("model_differs")


def in_order(collection: Any, filter_: dict[str, Any]) -> list[Any]:
    return list(collection.find(filter_).sort([("_id", 1)]))


def carried_out(collection: Any, command: tuple[str, Any]) -> Any:
    """What one server answers to a command."""
    name, of = command
    if name == "write":
        try:
            result = collection.bulk_write(of, ordered=False)
        except BulkWriteError as error:
            return [(item["index"], item["code"]) for item in error.details["writeErrors"]]
        upserted = sorted((result.upserted_ids or {}).items())
        return result.matched_count, upserted, result.inserted_count, result.deleted_count
    if name == "find":
        return in_order(collection, of), collection.count_documents(of)
    if name == "distinct":
        return sorted(collection.distinct("version", of))
    if name == "update many":
        return collection.update_many(*of).modified_count
    if name == "delete many":
        return collection.delete_many(of).deleted_count
    return list(collection.aggregate([{"$group": {"_id": None, "to": {"$max": of}}}]))


@given(sent=commands)
@settings(max_examples=80, deadline=None)
def test_the_same_as_a_real_server(client: MongoClient[Any], sent: list[tuple[str, Any]]) -> None:
    real, model = client["model_differs"]["documents"], Store(Actors(Clock()))["documents"]
    real.delete_many({})
    for command in sent:
        assert carried_out(model, command) == carried_out(real, command), command
        assert in_order(model, {}) == in_order(real, {}), command


def test_a_restart_takes_back_the_last_changes() -> None:
    store = Store(Actors(Clock()))
    letters = store["letters"]
    letters.insert_one({"_id": 1, "x": 1})
    letters.update_one({"_id": 1}, {"$set": {"x": 2}})
    letters.delete_one({"_id": 1})
    incarnation = store.client.admin.command("hello")
    store.restart(2)
    assert list(letters.find()) == [{"_id": 1, "x": 1}]
    assert store.client.admin.command("hello") != incarnation
