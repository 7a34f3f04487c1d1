"""The shop of `manage.py up`, in a thread of the test, whose processes can be killed, held down and exchanged.

It is the same code as `up` (engines, migrations, users, processes, restarts). Only its patience differs: it never
gives a process up, because a campaign kills the same one many times in a minute.
"""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from acme.devstack.home import Home
from acme.devstack.ports import free_port
from acme.devstack.process import Process, Program
from acme.devstack.services import ADMIN_PASSWORD, environment
from acme.devstack.shop import Options, Shop
from acme.devstack.supervisor import RestartPolicy, State, Supervised, Supervisor
from acme.devstack.table import Display
from tests.stack import ADMIN, PROJECT

PATIENT = RestartPolicy(failures=10**9, first_delay=0.1, factor=1.0, start_within=120.0)
START_SECONDS = 180.0
RUNS_AGAIN = 90.0  # seconds


class LockedSupervisor(Supervisor):
    """One that a second thread may look into and meddle with, while it holds the lock."""

    def __init__(self, home: Home, say: Callable[[str], None]) -> None:
        super().__init__(home, say, policy=PATIENT)
        self.lock = threading.RLock()

    def tick(self) -> None:
        with self.lock:
            super().tick()


class OpenShop(Shop):
    """Use `open_shop`. Names of processes are those of `up`: postgres, kafka, mongodb, redis, web, projector-1, …"""

    supervisor: LockedSupervisor

    def __init__(self, home: Home) -> None:
        self.said: list[str] = []
        options = Options(port=0, demo=False, quiet=True, given={}, environment={ADMIN_PASSWORD: ADMIN["password"]})
        super().__init__(home, options, Display(live=False, write=self._note))
        self.supervisor = LockedSupervisor(home, self._note)
        self.failure: BaseException | None = None
        self._programs: dict[str, Program] = {}

    def _note(self, line: str) -> None:
        self.said.append(f"{time.strftime('%H:%M:%S')} {line}")

    @contextmanager
    def _signals(self) -> Iterator[None]:
        """None of its own: they belong to the test's main thread."""
        yield

    # ------------------------------------------------------------ what runs
    @property
    def urls(self) -> dict[str, str]:
        """Variable → URL of the engines."""
        return self.engines.urls

    def one(self, name: str) -> Supervised:
        return self.supervisor.all[name]

    def pid_of(self, name: str) -> int:
        return self.one(name).process.pid or 0

    def wait_running(self, *names: str, seconds: float = RUNS_AGAIN) -> None:
        """Returns when these run, by default everything; fails when it takes longer."""
        deadline = time.monotonic() + seconds
        while down := [n for n in names or tuple(self.supervisor.all) if self.one(n).state is not State.RUNNING]:
            self.check()
            assert time.monotonic() < deadline, f"not running after {seconds:.0f} s: {down}\n" + self.tail()
            time.sleep(0.02)

    def check(self) -> None:
        """Raises what ended the shop, if anything did."""
        if self.failure is not None:
            raise AssertionError(f"the shop has ended: {self.failure!r}\n{self.tail()}") from self.failure

    def tail(self) -> str:
        """What the supervisor said last."""
        return "\n".join(self.said[-30:])

    # ------------------------------------------------------------ what is done to it
    def kill9(self, name: str) -> None:
        """SIGKILL to one process (not to its group); it is gone then, and will be started again."""
        with self.supervisor.lock:
            process = self.one(name).process
            if process.alive:
                os.kill(process.pid or 0, signal.SIGKILL)
                process.wait_stopped(10)

    @contextmanager
    def down(self, name: str, *, gently: bool = False) -> Iterator[None]:
        """The process is killed, or asked to end, and stays down meanwhile."""
        self._take_down(name, gently=gently)
        try:
            yield
        finally:
            with self.supervisor.lock:
                one = self.one(name)
                one.state, one.start_at = State.WAITING, 0.0

    def _take_down(self, name: str, *, gently: bool) -> None:
        with self.supervisor.lock:
            one = self.one(name)
            one.state = State.STOPPED  # nobody looks at it any more
        if gently:
            one.process.stop()
        else:
            one.process.kill()

    @contextmanager
    def suspended(self, *names: str) -> Iterator[None]:
        """SIGSTOP to these and their children; SIGCONT in the end."""
        groups = [pid for name in names if (pid := self.pid_of(name)) and self.one(name).process.alive]
        for group in groups:
            os.killpg(group, signal.SIGSTOP)
        try:
            yield
        finally:
            for group in groups:
                try:
                    os.killpg(group, signal.SIGCONT)
                except ProcessLookupError:
                    continue

    def exchange(self, name: str, argv: Sequence[str] = (), *, gently: bool = False) -> None:
        """From now on another program runs under this name; without ``argv`` the shop's own again."""
        with self.down(name, gently=gently), self.supervisor.lock:
            one = self.one(name)
            own = self._programs.setdefault(name, one.service.program)
            program = replace(own, argv=tuple(argv) or own.argv)
            one.service = replace(one.service, program=program)
            one.process = Process(program)

    def own_argv(self, name: str) -> tuple[str, ...]:
        """How `up` starts it, whatever runs now."""
        return self._programs.get(name, self.one(name).service.program).argv

    @contextmanager
    def beside(self, name: str, like: str = "projector-1", *, gently: bool = True) -> Iterator[None]:
        """One more process like that one; running when this is entered, gone afterwards."""
        service = self.one(like).service
        port = free_port()
        program = replace(
            service.program,
            name=name,
            argv=self.own_argv(like),
            log=self.home.log(name),
            port=port,
            env={**service.program.env, "ACME_METRICS_PORT": str(port)},
        )
        with self.supervisor.lock:
            self.supervisor.add(replace(service, program=program))
        try:
            self.wait_running(name)
            yield
        finally:
            self._take_down(name, gently=gently)
            with self.supervisor.lock:
                del self.supervisor.all[name]

    def manage(
        self, *command: str, check: bool = True, seconds: float = 180, program: tuple[str, ...] = ("manage.py",)
    ) -> subprocess.CompletedProcess[str]:
        """Runs another `manage.py` command on this shop. ``program``: something in its place."""
        done = subprocess.run(
            [sys.executable, *program, *command],
            cwd=PROJECT,
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert not check or done.returncode == 0, f"{command}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    @property
    def environ(self) -> dict[str, str]:
        """That of a process which works on this shop."""
        return {**os.environ, **environment(self.home), **self._environment}

    def read_store_directory(self) -> Path:
        """Where MongoDB, whichever server it is, keeps its data."""
        argv = self.one("mongodb").service.program.argv
        return Path(next(value for flag, value in itertools.pairwise(argv) if flag in _DIRECTORIES))


_DIRECTORIES = ("--storage-path", "--dbpath")


@contextmanager
def open_shop(home: Home) -> Iterator[OpenShop]:
    """Starts everything, yields, stops everything."""
    shop, ready, closing = OpenShop(home), threading.Event(), threading.Event()

    def run() -> None:
        try:
            with shop.opened():
                ready.set()
                shop.serve(done=closing.is_set)
        except BaseException as error:
            shop.failure = error
            ready.set()

    # The thread that starts the processes must live as long as they do: they end with it.
    thread = threading.Thread(target=run, name="shop")
    thread.start()
    try:
        assert ready.wait(START_SECONDS), f"it did not start\n{shop.tail()}"
        shop.check()
        yield shop
    finally:
        closing.set()
        thread.join(120)
    shop.check()
