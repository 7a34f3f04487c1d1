"""One generation under everything that may come between its workers and their documents; drawn by `test_owes`.

Two workers share the partitions of a stream. Each turn is a batch of one of them, however Kafka delivers it, and at
one of its writes something happens. Workers, guards, sources and the store are the product's own; only what is said to
happen is made to happen here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from typing import Any, cast

import pytest
from pymongo.collection import Collection
from pymongo.database import Database

from acme.contracts.envelope import Envelope
from acme.ports import EventLog
from projections.rebuilding.fill import Filler
from projections.rebuilding.source import Source
from projections.runtime import checkpoints
from projections.runtime.applier import Applier
from projections.runtime.checkpoints import COLLECTION as CHECKPOINTS
from projections.runtime.checkpoints import Stream
from projections.runtime.documents import Overtaken
from projections.runtime.intake import Arrived, take_in_order
from projections.runtime.projection import Projection
from queries.documents.connection import collection_name
from tests.contract.beside import Beside
from tests.contract.feeding import WholeLog
from tests.contract.history import plain_unseal
from tests.contract.turns import AT_MOST, Happens, Turn

LIVE, REBUILT = 1, 2
BACK = {Happens.STORE_WENT_BACK, Happens.STORE_WENT_BACK_IN_SILENCE}
NEVER = 10_000  # the how many-th write is never reached
REBUILT_AT_ONCE = 7  # events


class Killed(Exception):
    """Stands in for SIGKILL at the moment of a write."""


class Writes:
    """Every bulk write of the process; one of them can be struck."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self._left, self._before, self._after = 0, _nothing, _nothing
        original = Collection.bulk_write

        def bulk_write(collection: Collection[Any], *args: Any, **kwargs: Any) -> Any:
            struck = self._left == 1
            self._left = max(0, self._left - 1)
            if struck:
                self._before()
            result = original(collection, *args, **kwargs)
            if struck:
                self._after()
            return result

        patch.setattr(Collection, "bulk_write", bulk_write)

    def strike(self, write: int, *, before: Callable[[], None], after: Callable[[], None]) -> None:
        self._left, self._before, self._after = write, before, after

    def spare(self) -> bool:
        """No write is struck any more; answers whether one still would have been."""
        waited, self._left = self._left > 0, 0
        return waited


class Incarnation:
    """Which process of the store answers; a guard that does not look at it has been turned off. ``tells``: whether it
    says so at all."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.number, self.tells = 1, True
        patch.setattr(checkpoints, "store_incarnation", lambda store: str(self.number) if self.tells else "")


class Play:
    """A projection, a stream, and an empty store with its collections.

    A store that never tells keeps what it has acknowledged as long as a batch takes: it goes back between two of them.
    """

    def __init__(
        self,
        projection: Projection,
        stream: list[Envelope],
        store: Database[Any],
        writes: Writes,
        incarnation: Incarnation,
    ) -> None:
        self._projection, self._stream, self._store = projection, stream, store
        self._writes, self._incarnation = writes, incarnation
        self._streams = sorted({(event.topic, event.partition) for event in stream})
        self.log = WholeLog(stream)
        self._owners = dict.fromkeys(self._streams, 0)
        self._workers: list[Applier] = []
        self._ahead: dict[int, list[Arrived]] = {}  # what a worker has folded ahead
        self._store_first = False
        self._copies: list[dict[str, list[Any]]] = []
        self._clear()
        self._workers = [self._new_worker(number) for number in range(2)]

    def take(self, turn: Turn) -> None:
        self._copies.append(self._copy())
        happen = self._what_happens(turn)
        at = NEVER if turn.happens in BACK and not self._incarnation.tells else turn.at
        self._writes.strike(at, before=happen[0], after=happen[1])
        try:
            self._batch(turn)
            if self._writes.spare():
                happen[0]()
                happen[1]()
        except Killed:
            self._workers[turn.worker] = self._new_worker(turn.worker)
        finally:
            self._writes.spare()

    def finish(self) -> None:
        """Nothing happens any more, and all of the stream is applied."""
        for _ in range(100):
            settled = [self._settle(number) for number in range(2)]
            if all(settled):
                return
        raise AssertionError(f"{self._projection.name} does not come to an end")

    def _settle(self, worker: int) -> bool:
        """Applies what is left; answers whether there was nothing, and the store still says so (`Applier.audit`)."""
        left = self._next(worker, AT_MOST)
        if left:
            self._apply(worker, [_arrived(event) for event in left], None)
            return False
        try:
            self._workers[worker].audit()
        except Overtaken:
            self._reload(worker)
            return False
        return True

    def documents(self, generation: int = LIVE) -> Iterable[dict[str, Any]]:
        return self._store[collection_name(self._projection.name, generation)].find()

    def rebuild(
        self, source: Callable[[list[Stream]], Source], *, identities: dict[str, str] | None = None, killed_at: int
    ) -> None:
        """Fills another generation by two fillers one after the other, killed once and gone on with. ``identities``:
        those of the topics, where the source is Kafka."""
        halves = [half for half in (self._streams[::2], self._streams[1::2]) if half]
        self._writes.strike(killed_at, before=_nothing, after=_kill)
        for half in halves * 2:  # the second time nothing is left, unless the first was killed
            read = source(half)
            try:
                Filler(
                    self._applier(REBUILT),
                    read,
                    cast(EventLog, self.log),
                    half,
                    identities=identities,
                    at_once=REBUILT_AT_ONCE,
                ).fill()
            except Killed:
                pass
            finally:
                read.close()

    # What a turn consists of

    def _batch(self, turn: Turn) -> None:
        self._store_first = turn.store_first
        batch = self._ahead.pop(turn.worker, None) or self._in_order(turn)
        if batch:
            self._apply(turn.worker, batch, (lambda: self._fold_ahead(turn)) if turn.ahead else None)

    def _in_order(self, turn: Turn) -> list[Arrived]:
        """What is delivered, as far as it may be applied next."""
        reached, batch = self._workers[turn.worker].reached, []
        for stream, wanted in self._delivered(turn).items():
            batch += take_in_order(reached[stream], wanted, self._fill(stream), log_epoch=1, limit=AT_MOST)
        return batch

    def _apply(self, worker: int, batch: list[Arrived], meanwhile: Callable[[], None] | None) -> None:
        try:
            self._workers[worker].apply(batch, {}, meanwhile)
        except Overtaken:
            self._reload(worker)

    def _fold_ahead(self, turn: Turn) -> None:
        following = self._ahead[turn.worker] = self._in_order(turn)
        self._workers[turn.worker].fold_ahead(following)

    def _delivered(self, turn: Turn) -> dict[Stream, list[Arrived]]:
        reached = self._workers[turn.worker].reached
        found: dict[Stream, list[Arrived]] = {}
        for event in self._next(turn.worker, turn.events):
            found.setdefault((event.topic, event.partition), []).append(_arrived(event))
        for (topic, partition), new in found.items():
            last = reached[topic, partition].sequence
            old = self.log.read(topic, partition, last - turn.again + 1, last)
            some = [*map(_arrived, old), *(new[1:] if turn.hole else new)]
            if turn.shuffled:
                random.Random(len(some)).shuffle(some)
            found[topic, partition] = some
        return found

    def _next(self, worker: int, events: int) -> list[Envelope]:
        """What its checkpoints will not have, in the order of the stream; of partitions that it thinks it has."""
        reached = self._workers[worker].reached
        mine = [e for e in self._stream if (e.topic, e.partition) in reached]
        return [e for e in mine if (e.sequence or 0) > reached[e.topic, e.partition].sequence][:events]

    def _fill(self, stream: Stream) -> Callable[[int, int], Iterable[Envelope]]:
        return lambda first, last: self.log.read(*stream, first, last)

    def _what_happens(self, turn: Turn) -> tuple[Callable[[], None], Callable[[], None]]:
        """Before and after the write."""
        match turn.happens:
            case Happens.KILLED_BEFORE:
                return _kill, _nothing
            case Happens.KILLED_AFTER:
                return _nothing, _kill
            case Happens.STORE_WENT_BACK | Happens.STORE_WENT_BACK_IN_SILENCE:
                return (lambda: self._go_back(turn.reach)), _nothing
            case Happens.PARTITIONS_MOVED:
                return (lambda: self._move(turn.worker, turn.reach)), _nothing
            case Happens.CHECKPOINTS_LOST:
                return self._lose_checkpoints, _nothing
        return _nothing, _nothing

    def _go_back(self, turns: int) -> None:
        """To the beginning of this turn, or of an earlier one. The workers do not know of it."""
        self._incarnation.number += 1
        del self._copies[len(self._copies) - min(turns, len(self._copies) - 1) :]
        copy = self._copies[-1]
        for name in self._store.list_collection_names():
            self._store[name].delete_many({})
            if copy.get(name):
                self._store[name].insert_many(copy[name])

    def _move(self, worker: int, events: int) -> None:
        """Every other partition of it. It does not know, and has a batch in hand."""
        mine = [stream for stream, owner in self._owners.items() if owner == worker]
        self._owners |= dict.fromkeys(mine[::2] or mine, 1 - worker)
        self._reload(1 - worker)
        ahead = [_arrived(event) for event in self._next(1 - worker, events)]
        if ahead:
            self._apply(1 - worker, ahead, None)

    def _lose_checkpoints(self) -> None:
        self._store[CHECKPOINTS].delete_many({})

    # The workers and their store

    def _new_worker(self, number: int) -> Applier:
        self._writes.spare()
        made = self._applier(LIVE)
        self._reload(number, made)
        return made

    def _applier(self, generation: int) -> Applier:
        made = Applier(self._projection, generation, self._store, plain_unseal)
        made.writer._helper = Beside(lambda: self._store_first)
        return made

    def _reload(self, number: int, worker: Applier | None = None) -> None:
        """Both may set back the same checkpoints at once: then it looks again, as any worker does."""
        self._ahead.pop(number, None)
        for attempt in range(3):
            try:
                (worker or self._workers[number]).reload(s for s, owner in self._owners.items() if owner == number)
                return
            except Overtaken:
                if attempt == 2:
                    raise

    def _copy(self) -> dict[str, list[Any]]:
        return {name: list(self._store[name].find()) for name in self._store.list_collection_names()}

    def _clear(self) -> None:
        for name in self._store.list_collection_names():
            self._store[name].delete_many({})


def _arrived(event: Envelope) -> Arrived:
    return Arrived(envelope=event, offset=event.sequence or 0)


def _kill() -> None:
    raise Killed


def _nothing() -> None:
    """As ever."""
