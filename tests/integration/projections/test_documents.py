"""What a worker keeps of documents in memory: as they are stored, and not more bytes than it may."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Any

import pytest
from pymongo.collection import Collection
from pymongo.database import Database

from projections.runtime.documents import ENTRY, FIND_CHUNK, DocumentCache

AT = datetime(2026, 11, 30, 12, 0, 0, 123000, tzinfo=UTC)
KILOBYTE = 1024


@pytest.fixture
def kept(store: Database[Any]) -> Collection[Any]:
    """Three chunks of small documents, with what BSON could change."""
    collection = store["kept"]
    collection.insert_many([_document(number) for number in range(3 * FIND_CHUNK)])
    return collection


def _document(number: int) -> dict[str, Any]:
    return {"_id": f"d{number}", "at": AT, "lines": [{"quantity": number, "raw": b"x"}], "none": None}


def test_documents_come_as_they_are_stored_and_each_time_anew(kept: Collection[Any]) -> None:
    documents, keys = DocumentCache(kept), [f"d{number}" for number in range(3 * FIND_CHUNK)]
    documents.load([*keys, "missing"])
    kept.drop()  # what was loaded is in memory
    assert [documents.get(key) for key in keys] == [_document(number) for number in range(len(keys))]
    assert documents.get("missing") is None
    (documents.get("d7") or {})["lines"].clear()
    assert documents.get("d7") == _document(7)


def test_the_least_recently_used_go_first_and_by_their_bytes(kept: Collection[Any]) -> None:
    documents = DocumentCache(kept, capacity=10 * KILOBYTE)
    for number in range(4):
        documents.put(f"d{number}", {"_id": f"d{number}", "new": "x" * KILOBYTE})
    documents.load(["d0"])
    documents.put("large", {"_id": "large", "of": os.urandom(6 * KILOBYTE)})
    documents.trim()
    kept.drop()
    known = {key: documents.get(key) is not None for key in ("d0", "d1", "d2", "d3", "large")}
    assert known == {"d0": True, "d1": False, "d2": False, "d3": True, "large": True}


def test_nothing_is_forgotten_inside_a_batch_and_all_counts_that_is_kept(kept: Collection[Any]) -> None:
    """Also that there is no document costs memory; one that is written again counts once, one that is dropped not."""
    documents = DocumentCache(kept, capacity=3 * ENTRY)
    documents.load([f"missing{number}" for number in range(9)])
    documents.drop(["missing0", "missing1", "never known"])
    kept.insert_one({"_id": "missing2"})
    assert documents.get("missing2") is None
    documents.trim()  # the last three are kept
    kept.insert_many([{"_id": f"missing{number}"} for number in range(3, 9)])
    assert [documents.get(f"missing{number}") is None for number in (6, 7, 8)] == [True] * 3
    assert [documents.get(f"missing{number}") is None for number in (2, 3, 4, 5)] == [False] * 4

    again = DocumentCache(kept, capacity=2 * KILOBYTE)
    for _ in range(50):
        again.put("d1", {"_id": "d1", "new": "x" * KILOBYTE})
    again.trim()
    kept.drop()
    assert again.get("d1") is not None
    again.clear()
    assert again.get("d1") is None
    again.put("d2", {"_id": "d2", "new": "x" * KILOBYTE})
    again.trim()
    assert again.get("d2") is not None, "what was cleared counts no more"
