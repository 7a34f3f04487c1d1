"""Who acts in the model: processes as greenlets that are interrupted between any two calls of an engine.

Each runs the product's own code. Whatever it asks of an engine goes through `Actors.call`, where the schedule may leave
it suspended for as long as it likes, kill it, or let the call fail, before or after the engine has carried it out.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import django.db
import psycopg
from greenlet import getcurrent, greenlet
from pymongo.errors import AutoReconnect

from acme.bus import BusUnavailable

#: What each engine's client raises when it gets no answer. The publisher has a connection of its own to PostgreSQL.
FAILURES: dict[str, type[Exception]] = {
    "mongodb": AutoReconnect,
    "kafka": BusUnavailable,
    "log": django.db.OperationalError,
    "lane": psycopg.OperationalError,
}
KILL, FAIL, FAIL_AFTER = "kill", "fail", "fail after"
UNTIL_REST = 1_000_000  # calls
CALL_SECONDS = 0.001
START = datetime(2026, 6, 1, tzinfo=UTC)


class Killed(BaseException):
    """SIGKILL: nothing that is done afterwards reaches an engine."""


class Clock:
    """The model's time. It stands in for the modules `time` and `datetime` where the product reads a clock."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def advance(self, seconds: float) -> None:
        self.seconds += seconds

    def monotonic(self) -> float:
        return self.seconds

    sleep = advance

    def now(self, _: Any = None) -> datetime:
        return START + timedelta(seconds=self.seconds)


class Actor:
    """A process: ``body`` runs until it returns. ``over``: it has ended; ``error``: with what it should not."""

    def __init__(self, name: str, body: Callable[[], None]) -> None:
        self.name = name
        self.greenlet = greenlet(lambda _: body(), getcurrent())
        self.budget = 0
        self.stops_before = ""  # it is suspended before the first call with this in its name
        self.killed = self.over = False
        self.error: BaseException | None = None


class Actors:
    """All processes of a run; one acts at a time."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.current: Actor | None = None
        self.down: set[str] = set()  # engines that do not answer
        self.tell: Callable[[str], None] | None = None

    def run(self, actor: Actor, budget: int = UNTIL_REST, order: str = "", stops_before: str = "") -> None:
        """Lets an actor go on for so many calls, until one of some kind, or until it rests.

        ``order`` says what becomes of the call before which it was suspended.
        """
        if actor.over:
            return
        actor.budget, actor.stops_before, self.current = budget, stops_before, actor
        try:
            actor.greenlet.switch(order)
        except Killed:
            actor.over = True
        except Exception as error:
            actor.over, actor.error = True, error
        finally:
            self.current = None
        actor.over = actor.over or actor.greenlet.dead

    def kill(self, actor: Actor) -> None:
        """SIGKILL, wherever it is."""
        if actor.greenlet:  # it has begun and not ended
            self.run(actor, order=KILL)
        actor.killed = actor.over = True

    def rest(self) -> None:
        """Called by an actor between two turns."""
        if self.current is not None and self._switch(self.current) == KILL:
            raise Killed

    def call(self, engine: str, what: str, do: Callable[[], Any]) -> Any:
        """A call of an engine, by the actor whose turn it is or (never interrupted) by the schedule itself."""
        actor = self.current
        if actor is None:
            return do()
        order = self._interrupted(actor, f"{engine}: {what}")
        if actor.killed:
            raise Killed
        if order == FAIL or engine in self.down:
            raise FAILURES[engine](f"no answer: {what}")
        result = do()
        self.clock.advance(CALL_SECONDS)
        if actor.killed:
            raise Killed
        if order == FAIL_AFTER:
            raise FAILURES[engine](f"the answer was lost: {what}")
        return result

    def inside(self, what: str) -> None:
        """Others may act in the middle of a command that the engine carries out piece by piece, dead client or not."""
        if self.current is not None and not self.current.killed:
            self._interrupted(self.current, what)

    def _interrupted(self, actor: Actor, what: str) -> str:
        if actor.killed:
            return KILL
        actor.budget -= 1
        here = actor.budget < 0 or (actor.stops_before and actor.stops_before in what)
        order = self._switch(actor) if here else ""
        if self.tell:
            self.tell(f"    {actor.name} {order} {what}")
        return order

    def _switch(self, actor: Actor) -> str:
        order = str(actor.greenlet.parent.switch())
        if order == KILL:
            actor.killed = True
        return order
