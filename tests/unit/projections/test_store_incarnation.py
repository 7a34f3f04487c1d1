"""Which process of the read store answers: told by a mongod, not by a mongos."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from bson import ObjectId

from projections.runtime.checkpoints import store_incarnation

FIRST, SECOND = ObjectId(), ObjectId()


def store_that_says(**hello: Any) -> Any:
    """Only what `store_incarnation` asks of a database; the real answers are in the integration tests."""
    return SimpleNamespace(client=SimpleNamespace(admin=SimpleNamespace(command=lambda name: {name: 1, **hello})))


def test_a_mongod_is_told_apart_from_the_one_before() -> None:
    before, after = (store_incarnation(store_that_says(topologyVersion={"processId": p})) for p in (FIRST, SECOND))
    assert before == str(FIRST) != after


@pytest.mark.parametrize("process", [FIRST, SECOND])
def test_a_mongos_does_not_say(process: ObjectId) -> None:
    """Several of them answer in turn: told apart, no batch would ever count as written to one store."""
    assert store_incarnation(store_that_says(msg="isdbgrid", topologyVersion={"processId": process})) == ""


def test_a_server_without_a_topology_version_does_not_say() -> None:
    assert store_incarnation(store_that_says()) == ""
