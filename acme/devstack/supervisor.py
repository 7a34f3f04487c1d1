"""Keeps a set of processes running: starts them, restarts with back-off, gives up with a reason, stops all.

One thread and no callbacks: the owner calls `tick` a few times a second and passes the clock in.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from acme.devstack.engine import Engine
from acme.devstack.errors import CannotStart
from acme.devstack.home import Home, write_json
from acme.devstack.process import Process, Program


class State(StrEnum):
    """Where a supervised process stands."""

    WAITING = "waiting"  # for its time to (re)start, or for what it needs
    STARTING = "starting"  # runs and does not answer yet
    RUNNING = "running"
    STOPPED = "stopped"


@dataclass(frozen=True, kw_only=True)
class RestartPolicy:
    """When to try again and when to give up. Times in seconds."""

    failures: int = 3  # in a row; then we give up
    first_delay: float = 0.5
    factor: float = 2.0
    healthy_after: float = 10.0  # of running: earlier failures are forgotten
    start_within: float = 60.0  # without an answer by then a start has failed

    def delay(self, failures: int) -> float:
        """Before the next start, after that many failures in a row."""
        return self.first_delay * self.factor ** (failures - 1)


@dataclass(frozen=True, kw_only=True)
class Service:
    """A program to keep running. `needs` names services that must run before it is started."""

    program: Program
    where: str
    answers: Callable[[], bool] = lambda: True
    prepare: Callable[[], None] = lambda: None
    settle: Callable[[], None] = lambda: None
    needs: tuple[str, ...] = ()
    tier: int = 0  # all of a higher tier are stopped before any of a lower one

    @classmethod
    def of_engine(cls, engine: Engine) -> Service:
        return cls(
            program=engine.program,
            where=engine.where,
            answers=engine.answers,
            prepare=engine.prepare,
            settle=engine.settle,
        )


class GaveUp(CannotStart):
    """A process failed too often; the message says which, how it ended and its last words."""


@dataclass
class Supervised:
    """One service and what has become of it."""

    service: Service
    process: Process
    state: State = State.WAITING
    failures: int = 0  # in a row
    restarts: int = 0
    since: float = 0.0  # of the state, on the supervisor's clock
    start_at: float = 0.0
    words: list[str] = field(default_factory=list)  # said last by the run that failed

    @property
    def name(self) -> str:
        return self.service.program.name


class Supervisor:
    """Owns the processes of one ACME_HOME. `say` is told, in one line each, what people want to know."""

    def __init__(
        self,
        home: Home,
        say: Callable[[str], None],
        *,
        policy: RestartPolicy | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.home = home
        self.say = say
        self.policy = policy or RestartPolicy()
        self.clock = clock
        self.all: dict[str, Supervised] = {}
        self.hurry = False  # set by a second Ctrl-C: do not wait for anybody

    def add(self, service: Service) -> None:
        """From now on it is kept running; the next `tick` starts it."""
        self.all[service.program.name] = Supervised(service, Process(service.program))

    @property
    def all_running(self) -> bool:
        return all(one.state is State.RUNNING for one in self.all.values())

    def tick(self) -> None:
        """Looks at every process once and does what is due. Raises `GaveUp` and `CannotStart`."""
        for one in self.all.values():
            match one.state:
                case State.WAITING:
                    self._start_if_due(one)
                case State.STARTING:
                    self._watch_start(one)
                case State.RUNNING:
                    self._watch_run(one)

    def _start_if_due(self, one: Supervised) -> None:
        if self.clock() < one.start_at or not all(self._runs(name) for name in one.service.needs):
            return
        one.service.prepare()
        one.process.start()
        self._enter(one, State.STARTING)
        self._watch_start(one)

    def _runs(self, name: str) -> bool:
        """An engine given by the environment is not ours to watch: it counts as running."""
        return name not in self.all or self.all[name].state is State.RUNNING

    def _watch_start(self, one: Supervised) -> None:
        if not one.process.alive:
            self._failed(one, one.process.exit_reason)
        elif one.service.answers():
            self._settle(one)
        elif self.clock() - one.since > self.policy.start_within:
            self._failed(one, f"no answer within {self.policy.start_within:.0f} s")

    def _settle(self, one: Supervised) -> None:
        try:
            one.service.settle()
        except CannotStart:
            raise
        except Exception as error:  # it fell again before it was set up: a failed start like any other
            self._failed(one, str(error).strip().replace("\n", " "))
            return
        self._enter(one, State.RUNNING)
        if one.restarts:
            self.say(f"{one.name}: runs again (pid {one.process.pid})")

    def _watch_run(self, one: Supervised) -> None:
        if not one.process.alive:
            self._failed(one, one.process.exit_reason)
        elif one.failures and self.clock() - one.since > self.policy.healthy_after:
            one.failures = 0

    def _failed(self, one: Supervised, why: str) -> None:
        one.words = one.process.tail()
        one.process.kill()  # its children, and itself when it only never answered
        # What fell because something it needs is down is not held against it.
        if all(self._runs(name) for name in one.service.needs):
            one.failures += 1
        if one.failures >= self.policy.failures:
            self._enter(one, State.STOPPED)
            said = "".join(f"\n    {line}" for line in one.words) or " nothing"
            raise GaveUp(
                f"{one.name} failed {one.failures} times in a row ({why}); it said last "
                f"({one.service.program.log}):{said}"
            )
        one.restarts += 1
        delay = self.policy.delay(max(one.failures, 1))
        one.start_at = self.clock() + delay
        self._enter(one, State.WAITING)
        self.say(f"{one.name}: {why}; starting it again in {delay:g} s")

    def _enter(self, one: Supervised, state: State) -> None:
        one.state, one.since = state, self.clock()
        records = {
            name: {**other.process.record(), "state": other.state}
            for name, other in self.all.items()
            if other.process.pid is not None
        }
        write_json(self.home.processes_file, records)

    def stop_all(self) -> None:
        """Stops everything, tier by tier; returns when nothing of it is left."""
        for tier in sorted({one.service.tier for one in self.all.values()}, reverse=True):
            self._stop([one for one in self.all.values() if one.service.tier == tier])
        self.home.processes_file.unlink(missing_ok=True)

    def _stop(self, group: Sequence[Supervised]) -> None:
        for one in group:
            one.process.signal_stop()
        for one in group:
            deadline = self.clock() + one.service.program.grace
            while not self.hurry and self.clock() < deadline and not one.process.wait_stopped(0.1):
                pass
            if one.process.alive:
                self.say(f"{one.name}: {'killed without waiting' if self.hurry else 'does not stop, killed'}")
            one.process.kill()
            one.state = State.STOPPED

    def __iter__(self) -> Iterator[Supervised]:
        return iter(self.all.values())
