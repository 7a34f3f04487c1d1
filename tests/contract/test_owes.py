"""What each projection owes (stream.md, last section): the same events, however they come, make the same documents.

One property over every declared projection, on a real MongoDB-protocol server and a real broker: any interleaving that
keeps each aggregate's order, any batch borders, deliveries twice, shuffled and with holes, kills around writes, a
store that goes back, partitions that move under a worker with a batch in hand, checkpoints lost; and then a rebuild
from the log or Kafka, killed on its way. The documents are those of a replay in memory.

`ACME_FAULTS=long` takes other and more examples each time; otherwise they are always the same.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pymongo import MongoClient
from pymongo.database import Database

from projections.rebuilding.source import LogSource, Source
from projections.registry import PROJECTIONS
from projections.runtime.checkpoints import Stream
from projections.runtime.generations import prepare
from projections.runtime.projection import Projection
from projections.verification.canonical import canonical
from tests.contract.carried import Carried
from tests.contract.feeding import relevant
from tests.contract.history import History, plain_unseal
from tests.contract.play import LIVE, REBUILT, Incarnation, Play, Writes
from tests.contract.turns import Happens, Turn
from tests.model.defects import turned_off
from tests.oracle import differences, replay

LONG = os.environ.get("ACME_FAULTS") == "long"
EXAMPLES = 60 if LONG else 12  # of each projection
HISTORY = History(seed=7, size=3)

turns = st.lists(
    st.builds(
        Turn,
        worker=st.integers(0, 1),
        events=st.integers(1, 8) | st.integers(1, 60),
        again=st.integers(0, 4),
        hole=st.booleans(),
        shuffled=st.booleans(),
        happens=st.sampled_from(Happens),
        at=st.sampled_from([1, 1, 2, 3]),
        reach=st.integers(0, 5) | st.integers(0, 30),
        ahead=st.booleans(),
        store_first=st.booleans(),
    ),
    min_size=4,
    max_size=16,
)
interleavings = st.integers(1, 4)


@pytest.fixture(scope="module")
def carried(kafka: str) -> Carried:
    return Carried(HISTORY, kafka)


@pytest.fixture
def store(mongo: str, mongo_database: str) -> Iterator[Database[Any]]:
    with MongoClient(mongo, tz_aware=True) as client:
        yield client[mongo_database]


class Stage:
    """Plays examples of one projection, one after the other, and compares."""

    def __init__(
        self, projection: Projection, carried: Carried, store: Database[Any], patch: pytest.MonkeyPatch
    ) -> None:
        self._projection, self._carried, self._store = projection, carried, store
        self._writes, self._incarnation = Writes(patch), Incarnation(patch)
        self._expected = replay(projection, HISTORY.interleaved(0), plain_unseal)
        for generation in (LIVE, REBUILT):
            prepare(store, projection, generation)

    def play(self, interleaving: int, turns: list[Turn]) -> Play:
        """Every turn, and then all that is left. Raises AssertionError where a document is not as it must be."""
        events = self._carried.history.interleaved(interleaving)
        topics = {e.topic for e in relevant(self._projection, events)}
        stream = [e for e in self._carried.interleaving(interleaving) if e.topic.rpartition(".")[0] in topics]
        self._incarnation.tells = all(turn.happens is not Happens.STORE_WENT_BACK_IN_SILENCE for turn in turns)
        play = Play(self._projection, stream, self._store, self._writes, self._incarnation)
        for turn in turns:
            play.take(turn)
        play.finish()
        self._compare(play, LIVE)
        return play

    def rebuild(self, play: Play, interleaving: int, from_kafka: bool, killed_at: int) -> None:
        def source(streams: list[Stream]) -> Source:
            return self._carried.source(interleaving, streams) if from_kafka else LogSource(play.log)

        identities = self._carried.identities(interleaving) if from_kafka else None
        play.rebuild(source, identities=identities, killed_at=killed_at)
        self._compare(play, REBUILT)

    def _compare(self, play: Play, generation: int) -> None:
        found = {str(document["_id"]): canonical(document) for document in play.documents(generation)}
        assert self._expected
        assert differences(self._expected, found) == []


@pytest.fixture
def stage(carried: Carried, store: Database[Any], monkeypatch: pytest.MonkeyPatch) -> Callable[[Projection], Stage]:
    return lambda projection: Stage(projection, carried, store, monkeypatch)


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("projection", PROJECTIONS.values(), ids=PROJECTIONS)
def test_same_events_make_the_same_documents(projection: Projection, stage: Callable[[Projection], Stage]) -> None:
    mine = stage(projection)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=not LONG,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    @given(interleavings, turns, st.booleans(), st.integers(1, 20))
    def owes(interleaving: int, turns: list[Turn], from_kafka: bool, killed_at: int) -> None:
        play = mine.play(interleaving, turns)
        mine.rebuild(play, interleaving, from_kafka, killed_at)

    owes()


#: Checkpoints are lost and come again by a replay, behind their documents; then the store goes back without a word to a
#: moment with those very checkpoints. What memory knows of the documents is not in them any more.
BACK_TO_THE_SAME_CHECKPOINTS = [
    Turn(events=10),
    Turn(events=10),
    Turn(events=10, happens=Happens.CHECKPOINTS_LOST),
    Turn(events=10, happens=Happens.STORE_WENT_BACK_IN_SILENCE, reach=2),
    Turn(events=10),
]


@pytest.mark.parametrize("projection", PROJECTIONS.values(), ids=PROJECTIONS)
def test_documents_that_were_ahead_are_not_believed(
    projection: Projection, stage: Callable[[Projection], Stage]
) -> None:
    stage(projection).play(1, BACK_TO_THE_SAME_CHECKPOINTS)


#: The same, and a checkpoint that is held is gone with what its event has counted: the next one finds no document.
BACK_TO_NO_DOCUMENT = [
    *[Turn(events=1)] * 3,
    Turn(events=1, happens=Happens.CHECKPOINTS_LOST),
    *[Turn(events=1)] * 2,
    Turn(events=1, happens=Happens.STORE_WENT_BACK_IN_SILENCE, reach=3),
]


def test_a_lost_counter_of_a_store_that_does_not_tell_is_no_new_one(stage: Callable[[Projection], Stage]) -> None:
    mine = stage(PROJECTIONS["sales_by_day"])
    mine.play(2, BACK_TO_NO_DOCUMENT)
    with turned_off("a counter document that was lost is taken for a new one"), pytest.raises(AssertionError):
        mine.play(2, BACK_TO_NO_DOCUMENT)


#: What goes wrong without a guard: the projection, and turns after which a document is not as it must be.
GUARDS: dict[str, tuple[str, list[Turn]]] = {
    "checkpoints are written whatever was read": (
        "orders",
        [Turn(events=10), Turn(events=10), Turn(events=5, happens=Happens.STORE_WENT_BACK, at=2, reach=2)],
    ),
    "sections are written whatever version was read": (
        "products",
        [Turn(events=6, happens=Happens.PARTITIONS_MOVED, reach=60)],
    ),
    "counts are added whatever fence was read": (
        "sales_by_day",
        [Turn(events=20, happens=Happens.PARTITIONS_MOVED, reach=60)],
    ),
    "a store that was restarted is not noticed": (
        "sales_by_day",
        [Turn(events=20), Turn(events=20, happens=Happens.STORE_WENT_BACK, at=2)],
    ),
    "the checkpoint is written before the documents": (
        "products",
        [Turn(events=20, happens=Happens.KILLED_AFTER)],
    ),
    "sections that have an event already are not looked at": ("products", BACK_TO_THE_SAME_CHECKPOINTS),
    "counters that have an event already are not looked at": ("sales_by_day", BACK_TO_THE_SAME_CHECKPOINTS),
    "what was read ahead is believed": (
        "products",
        [replace(turn, ahead=True) for turn in BACK_TO_THE_SAME_CHECKPOINTS],
    ),
}


@pytest.mark.parametrize("defect", GUARDS)
def test_a_guard_that_is_turned_off_is_found(defect: str, stage: Callable[[Projection], Stage]) -> None:
    """So the property can fail."""
    name, turns = GUARDS[defect]
    mine = stage(PROJECTIONS[name])
    mine.play(1, turns)
    with turned_off(defect), pytest.raises(AssertionError, match=r"differs|missing|too many"):
        mine.play(1, turns)
