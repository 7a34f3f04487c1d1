"""One development shop from start to stop: engines, schema, topics, users, demo data, processes."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from acme.devstack.engines import Engines, check_given, find_all, publish, withdraw
from acme.devstack.errors import CannotStart
from acme.devstack.home import Home, read_json
from acme.devstack.lag import LagReader
from acme.devstack.ports import free_port, is_free, reserve
from acme.devstack.process import Process, end_leftovers
from acme.devstack.services import MANAGE, app_services, program
from acme.devstack.supervisor import Service, Supervisor
from acme.devstack.table import Display

TICK = 0.1  # seconds between two looks at the processes
READY = "the shop is open"  # scripts and tests wait for these words


class Interrupted(Exception):
    """Ctrl-C, SIGTERM or SIGHUP: stop everything and end well."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """`port` 0: a free one. `quiet`: what the steps print goes to their logs and not to the terminal."""

    port: int = 8000
    demo: bool = True
    projectors: int = 1
    quiet: bool = False
    given: Mapping[str, str] | None = None  # where engines' URLs are looked for; None: the environment
    environment: Mapping[str, str] = field(default_factory=dict)  # more variables for steps and processes


class Shop:
    """Use it inside `opened`; afterwards `serve` keeps it running."""

    def __init__(self, home: Home, options: Options, display: Display) -> None:
        self.home = home
        self.options = options
        self.display = display
        self.supervisor = Supervisor(home, display.say)
        self.engines = Engines({}, ())
        self.port = options.port
        self.interrupted = False

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def _environment(self) -> dict[str, str]:
        """The engines by name, so that nothing reaches others by a variable that we were told to ignore."""
        return {**self.options.environment, **self.engines.urls}

    @contextmanager
    def opened(self) -> Iterator[Shop]:
        """Starts everything, yields, stops everything. Raises `CannotStart` and `Interrupted`."""
        self.home.prepare()
        with self.home.locked(), self._signals():
            for name in end_leftovers(read_json(self.home.processes_file), self.home.root):
                self.display.say(f"{name}: left over from an `up` that was killed, ended")
            withdraw(self.home)
            try:
                self._open()
                yield self
            finally:
                self.supervisor.stop_all()
                withdraw(self.home)

    def serve(self, done: Callable[[], bool] = lambda: False) -> None:
        """Keeps it running until `done()`. Raises `GaveUp` when a process fails too often, `Interrupted`."""
        with closing(LagReader(self.home)) as lag:
            while not done():
                self._tick()
                if self.display.live:
                    self.display.show(self.supervisor, self.engines.given, lag.words())

    def _open(self) -> None:
        self.port = self._web_port()
        self.engines = find_all(self.home, self.display.say, self.options.given)
        check_given(self.engines)
        for variable in self.engines.given:
            self.display.say(f"{variable}: from the environment, nothing is started for it")
        self._start([Service.of_engine(engine) for engine in self.engines.ours])
        publish(self.home, self.engines)
        self._step("migrate", "--verbosity", "0")
        self._step("create_topics")
        self._step("create_users", show=not self.options.quiet)
        if self.options.demo:
            self._step("seed_demo", show=not self.options.quiet)
        self._start(app_services(self.home, self._environment, port=self.port, projectors=self.options.projectors))
        self.display.say(f"{READY}: {self.base_url} (API pages: {self.base_url}/api/docs, logs: {self.home.root}/log)")

    def _web_port(self) -> int:
        if self.options.port == 0:
            return free_port()
        if not is_free(self.options.port):
            raise CannotStart(
                f"port {self.options.port} is in use: stop what listens there, or choose another with --port "
                "(0: a free one)."
            )
        reserve(self.options.port)
        return self.options.port

    def _start(self, services: list[Service]) -> None:
        """Adds them and returns when every process runs."""
        for service in services:
            self.supervisor.add(service)
        while not self.supervisor.all_running:
            self._tick()
        for service in services:
            one = self.supervisor.all[service.program.name]
            self.display.say(f"{one.name}: runs (pid {one.process.pid}, {service.where})")

    def _step(self, command: str, *arguments: str, show: bool = False) -> None:
        """Runs one `manage.py` command to its end while the engines are watched."""
        log: Path | None = None if show else self.home.log(command)
        process = Process(program(self.home, command, (*MANAGE, command, *arguments), log=log, more=self._environment))
        process.start()
        try:
            while process.alive:
                self._tick()
        finally:
            process.stop()
        if process.exit_reason != "exit code 0":
            said = "".join(f"\n    {line}" for line in process.tail())
            raise CannotStart(f"manage.py {command} failed ({process.exit_reason}){':' if said else ''}{said}")

    def _tick(self) -> None:
        if self.interrupted:
            raise Interrupted
        self.supervisor.tick()
        time.sleep(TICK)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """While open, the first signal asks for a stop, the second for one without waiting."""

        def handle(number: int, frame: FrameType | None) -> None:
            self.supervisor.hurry = self.interrupted
            self.interrupted = True

        names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {name: signal.signal(name, handle) for name in names}
        try:
            yield
        finally:
            for name, handler in before.items():
                signal.signal(name, handler)
