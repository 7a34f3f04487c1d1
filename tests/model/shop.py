"""One run's shop: engines in memory, and the product's own publishers, workers and operators as actors on them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

from acme.bus import BusError
from acme.contracts.topics import BY_NAME
from commands.outbox import link, publisher
from commands.outbox.link import Halted
from projections.runtime import (
    applier,
    control,
    heartbeat,
    instructions,
    letters,
    operations,
    requests,
    supply,
    worker,
    writer,
)
from projections.runtime.control import NotDone
from projections.runtime.failures import is_engine_failure
from projections.runtime.generations import POINTERS
from projections.runtime.letterbox import LETTERS, PARKED
from projections.runtime.requests import Refused
from projections.runtime.settings import QueueLimits, WorkerSettings
from projections.runtime.worker import Worker
from tests.contract.beside import Beside, Inline
from tests.contract.history import plain_unseal
from tests.model.actors import UNTIL_REST, Actor, Actors, Clock
from tests.model.histories import TRIED, Poison, failing, history_for, projection_named, streams_of
from tests.model.kafka import Broker, Consumer, Producer, Topics
from tests.model.mongodb import Store
from tests.model.postgresql import Lane, Log, Postgresql

#: Where the product reads a clock.
READ_TIME = (worker, supply, instructions, operations, requests, link)
READ_DATE = (applier, supply, operations, requests, letters, heartbeat, control)


class Shop:
    """Everything of one run; ``seed`` decides what there is."""

    def __init__(self, seed: int) -> None:
        self.chance = chance = random.Random(seed)
        self.name = chance.choice(TRIED)
        self.projection = projection_named(self.name)
        self.poison: Poison = set()
        self.failing = failing(self.projection, self.poison)
        self.streams = streams_of(self.projection)
        self.history = history_for(self.projection, chance)
        self.settings = _settings(chance)
        self.clock = Clock()
        self.actors = Actors(self.clock)
        self.store = Store(self.actors)
        self.postgresql = Postgresql(self.actors, self.history, self.streams)
        self.broker = Broker(self.actors, self.streams, chance)
        self.broker.create(self.projection.topics)
        self.log = Log(self.postgresql)
        self.at_once = chance.choice([2, 5, 100])  # events per numbering statement and send
        self.workers = [self._worker(number) for number in range(chance.choice([1, 2, 2, 3]))]
        self.publishers = [self._publisher(number) for number in range(chance.randint(1, 2))]
        self.operator: Actor | None = None
        self.asleep: set[str] = set()  # names of workers that are suspended for longer
        self.running: dict[str, Worker] = {}
        self.peace = False  # there are no faults any more
        self.told: set[str] = set()  # why something cannot go on
        self.checked = 0  # how many writes of the store there were at the last look
        self.counted: dict[UUID, list[str]] = {}  # event → documents that count it

    def _worker(self, number: int) -> Actor:
        name = f"worker {number + 1}"

        def body() -> None:
            made = Worker(
                self.failing,
                cast(Any, self.store),
                self.log,
                cast(Any, SimpleNamespace(unseal=plain_unseal)),
                cast(Any, lambda group, topics, new, gone: Consumer(self.broker, group, topics, new, gone)),
                lambda topics: Topics(self.broker).identities(topics),
                self.settings,
            )
            made._watchdog = cast(Any, Unwatched())
            self.running[name] = made
            made.run(cast(Any, Endless(self.actors)), until=self._rested)

        return Actor(name, body)

    def _rested(self) -> bool:
        self.actors.rest()
        return False

    def _publisher(self, number: int) -> Actor:
        def body() -> None:
            made = publisher.Publisher("model")
            made._helper = cast(Any, Inline())
            while True:
                self.actors.rest()
                try:
                    made.drain(look_at_kafka=self.peace or self.broker.chance.random() < 0.5)
                except (*publisher.PASSING, BusError, Halted):
                    self.clock.advance(0.5)

        return Actor(f"publisher {number + 1}", body)

    def ask(self, act: Callable[[], Any]) -> Actor:
        """An operator who does one thing; what is refused, or finds no engine, is left at that."""

        def body() -> None:
            try:
                act()
            except (Refused, NotDone):
                pass
            except Exception as error:
                if not is_engine_failure(error):
                    raise

        self.operator = Actor("operator", body)
        return self.operator

    # The same, as the schedule uses it

    def go_on(self, actor: Actor, budget: int = UNTIL_REST, order: str = "", stops_before: str = "") -> None:
        self.actors.run(actor, budget, order, stops_before)
        if actor.error is not None:
            raise actor.error

    def kill(self, actors: list[Actor], number: int) -> None:
        """SIGKILL, and another process in its place."""
        old = actors[number]
        self.actors.kill(old)
        self.postgresql.end_sessions(old)
        made = self._worker if actors is self.workers else self._publisher
        actors[number] = made(number)

    def release(self) -> None:
        """Other code: the processes that run it take the place of all others.

        A worker of counters that is suspended amid a batch meanwhile may still count what another has parked by then,
        and a retry counts it once more: nothing in a document tells which events its fence has passed (README, limits).
        """
        for number, actor in enumerate(self.workers):
            if actor.greenlet and self.projection.counts:
                self.kill(self.workers, number)

    def end(self) -> None:
        """Nothing goes on."""
        for actor in [*self.workers, *self.publishers, *([self.operator] if self.operator else [])]:
            self.actors.kill(actor)

    def rows(self, collection: str) -> list[dict[str, Any]]:
        return [row for _, row in self.store[collection].rows.values()]

    def parked(self, **chosen: Any) -> list[dict[str, Any]]:
        """Parked letters of the live generation."""
        wanted = {"state": PARKED, "generation": self.live, **chosen}
        return [row for row in self.rows(LETTERS) if all(row.get(name) == value for name, value in wanted.items())]

    @property
    def has_pointer(self) -> bool:
        return self.name in self.store[POINTERS].rows

    @property
    def live(self) -> int:
        return int(self.store[POINTERS].rows[self.name][1].get("live", 1)) if self.has_pointer else 1

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The product's modules use this shop's engines and clock meanwhile."""
        virtual = SimpleNamespace(now=self.clock.now)
        wanted: list[tuple[Any, str, Any]] = [(module, "time", self.clock) for module in READ_TIME]
        wanted += [(module, "datetime", virtual) for module in READ_DATE]
        wanted += [
            (worker, "random", self.chance),
            (writer, "ThreadPoolExecutor", lambda *_, **__: Beside(lambda: self.chance.random() < 0.5)),
            (link, "NAMES", list(self.projection.topics)),
            (link, "PARTITIONS", self.streams),
            (link, "TOPICS", [BY_NAME[name] for name in self.projection.topics]),
            (link, "Topics", lambda _: Topics(self.broker)),
            (link, "Producer", lambda _: Producer(self.broker)),
            (publisher, "Lane", lambda: Lane(self.postgresql)),
            (publisher, "AT_ONCE", self.at_once),
        ]
        before = [(module, name, getattr(module, name)) for module, name, _ in wanted]
        for module, name, value in wanted:
            setattr(module, name, value)
        try:
            yield
        finally:
            for module, name, value in before:
                setattr(module, name, value)


class Unwatched:
    """No thread renews the lease: in the model nobody is told dead by the clock."""

    def __enter__(self) -> None: ...

    def __exit__(self, *_: object) -> None: ...

    def turned(self, trouble: str = "") -> None: ...


class Endless:
    """A worker's stop event that is never set, and whose pauses pass at once."""

    def __init__(self, actors: Actors) -> None:
        self._actors = actors

    def is_set(self) -> bool:
        return False

    def wait(self, seconds: float) -> None:
        self._actors.clock.advance(seconds)


def _settings(chance: random.Random) -> WorkerSettings:
    return WorkerSettings(
        max_records=chance.choice([1, 3, 5, 50]),
        log_records=chance.choice([1, 3, 5, 50]),
        poll=chance.choice([0.1, 0.5, 2.0]),
        control=chance.choice([0.05, 0.4]),
        heartbeat=chance.choice([0.05, 1.0, 1.0]),
        idle_before_log=chance.choice([0.1, 1.0, 2.0]),
        blocked_retry=chance.choice([0.5, 3.0]),
        tidy=chance.choice([0.1, 5.0, 5.0]),
        retried_at_once=chance.choice([1, 2, 100]),
        limits=QueueLimits(per_aggregate=chance.choice([2, 20]), in_all=chance.choice([4, 40, 40])),
    )
