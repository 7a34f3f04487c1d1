"""What a retry in many chunks writes: the letters that still wait are not written again with each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from projections.registry import PROJECTIONS
from projections.runtime import requests
from projections.runtime.letterbox import Selection
from projections.runtime.letters import DeadLetters
from projections.runtime.operations import Operations
from tests.contract.feeding import feed, letters_of, new_applier, recovery, relevant, streams_of
from tests.contract.history import History, plain_unseal
from tests.integration.projections.test_stopped import poisoned, some_victims
from tests.oracle import replay
from tests.oracle import stored as documents

ORDERS = PROJECTIONS["orders"]


@pytest.fixture
def store(mongo: str, mongo_database: str) -> Iterator[Database[Any]]:
    with MongoClient(mongo, tz_aware=True) as client:
        yield client[mongo_database]


def rewritten(store: Database[Any], monkeypatch: pytest.MonkeyPatch) -> int:
    """How often the letters behind were written anew, while a retry went through letter by letter."""
    stream = relevant(ORDERS, History(seed=31, size=24).interleaved(7))
    victims = some_victims(stream, "OrderConfirmed", 3)
    feed(new_applier(store, poisoned(ORDERS, victims), streams_of(stream)), stream, largest=100)
    assert len(letters_of(store, held=True)) > 3
    asked = requests.ask_retry(store, "orders", Selection(everything=True), by="tests")
    original, calls = DeadLetters.hold_behind, []
    monkeypatch.setattr(DeadLetters, "hold_behind", lambda self, stopped: calls.append(original(self, stopped)))
    applier = new_applier(store, ORDERS, streams_of(stream))
    operations = Operations(store, applier, recovery(applier, stream), at_once=1)
    operations.look()
    while operations.step(set(applier.held)):
        pass
    assert requests.progress(store, asked.id).done == asked.total
    assert documents(store, ORDERS) == replay(ORDERS, stream, plain_unseal)
    return len(calls)


def test_letters_that_wait_are_left_alone_while_their_request_goes_on(
    store: Database[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert rewritten(store, monkeypatch) == 0


def test_defect_all_that_wait_are_written_with_each_chunk(
    store: Database[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(DeadLetters, "is_next", lambda self, stopped, request: False)
    assert rewritten(store, monkeypatch) > 3
