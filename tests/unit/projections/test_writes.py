"""From sections to writes: when a document is inserted, and what an update names."""

from __future__ import annotations

from typing import Any

import pytest
from pymongo import InsertOne, UpdateOne

from projections.runtime.fold import SectionState
from projections.runtime.writes import section_write

COMPUTED = ({"$set": {"available": {"$sum": "$stock"}}},)


def state(stored: int | None) -> SectionState:
    return SectionState(document="d", path="cart", stored=stored, value={"version": 3}, aggregate="cart:1")


def written(stored: int | None, *, seen: bool, computed: tuple[dict[str, Any], ...] = ()) -> Any:
    return section_write([state(stored)], computed, {"_id": "d", "cart": {"version": 3}}, seen=seen)


def test_a_document_that_was_not_there_is_inserted() -> None:
    assert written(None, seen=False) == InsertOne({"_id": "d", "cart": {"version": 3}})


@pytest.mark.parametrize(("stored", "named"), [(2, 2), (None, {"$exists": False})])
def test_one_that_was_there_is_changed_if_it_is_as_it_was_read(stored: int | None, named: Any) -> None:
    change = {"$set": {"cart": {"version": 3}}}
    assert written(stored, seen=True) == UpdateOne({"_id": "d", "cart.version": named}, change, upsert=False)


def test_what_the_store_computes_is_made_by_an_upsert() -> None:
    change = [{"$set": {"cart": {"$literal": {"version": 3}}}}, *COMPUTED]
    named = {"_id": "d", "cart.version": {"$exists": False}}
    assert written(None, seen=False, computed=COMPUTED) == UpdateOne(named, change, upsert=True)
