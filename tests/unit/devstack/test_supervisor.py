"""The supervisor with small real processes: restart, back-off, giving up, stopping everything."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from acme.devstack.errors import CannotStart
from acme.devstack.home import Home, read_json
from acme.devstack.process import Program
from acme.devstack.supervisor import GaveUp, RestartPolicy, Service, State, Supervisor

SLEEPER = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
)
FAMILY = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'import time; time.sleep(600)'])"
QUICK = RestartPolicy(first_delay=0.05, healthy_after=0.5)


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def supervisor(tmp_path: Path, said: list[str]) -> Iterator[Supervisor]:
    home = Home(tmp_path / "home")
    home.prepare()
    supervisor = Supervisor(home, said.append, policy=QUICK)
    yield supervisor
    supervisor.hurry = True
    supervisor.stop_all()


def service(home: Home, name: str, code: str, **more: object) -> Service:
    grace = float(more.pop("grace", 5.0))  # type: ignore[arg-type]
    program = Program(name=name, argv=(sys.executable, "-c", code), log=home.log(name), grace=grace)
    return Service(program=program, where="a test", **more)  # type: ignore[arg-type]


def tick_until(supervisor: Supervisor, true: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, {one.name: one.state for one in supervisor}
        supervisor.tick()
        time.sleep(0.02)


def test_a_process_that_dies_is_started_again(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.add(service(supervisor.home, "sleeper", SLEEPER))
    tick_until(supervisor, lambda: supervisor.all_running)
    first = supervisor.all["sleeper"].process.pid
    psutil.Process(first).kill()
    tick_until(supervisor, lambda: supervisor.all_running and supervisor.all["sleeper"].process.pid != first)
    assert supervisor.all["sleeper"].restarts == 1
    assert said[0] == "sleeper: killed by SIGKILL; starting it again in 0.05 s"
    assert read_json(supervisor.home.processes_file)["sleeper"]["pid"] == supervisor.all["sleeper"].process.pid


def test_three_failures_in_a_row_end_with_the_last_words(supervisor: Supervisor) -> None:
    supervisor.add(service(supervisor.home, "broken", "print('first'); raise SystemExit('the disk is full')"))
    with pytest.raises(GaveUp, match=r"broken failed 3 times in a row \(exit code 1\)[^$]*the disk is full"):
        tick_until(supervisor, lambda: False)
    assert supervisor.all["broken"].state is State.STOPPED


def test_failures_are_forgotten_after_a_healthy_while(supervisor: Supervisor) -> None:
    supervisor.add(service(supervisor.home, "sleeper", SLEEPER))
    one = supervisor.all["sleeper"]
    for _ in range(4):
        tick_until(supervisor, lambda: supervisor.all_running and not one.failures)
        psutil.Process(one.process.pid).kill()
        tick_until(supervisor, lambda: one.failures == 1)
    assert one.restarts == 4


def test_what_falls_with_something_it_needs_is_not_blamed(supervisor: Supervisor) -> None:
    supervisor.add(service(supervisor.home, "engine", SLEEPER))
    supervisor.add(service(supervisor.home, "app", SLEEPER, needs=("engine",), tier=1))
    tick_until(supervisor, lambda: supervisor.all_running)
    psutil.Process(supervisor.all["engine"].process.pid).kill()
    supervisor.all["engine"].process.wait_stopped(5)
    psutil.Process(supervisor.all["app"].process.pid).kill()
    supervisor.all["app"].process.wait_stopped(5)
    supervisor.tick()
    tick_until(supervisor, lambda: supervisor.all_running)
    assert supervisor.all["engine"].failures == 1
    assert supervisor.all["app"].failures == 0


def test_a_process_that_never_answers_has_failed(supervisor: Supervisor) -> None:
    supervisor.policy = RestartPolicy(first_delay=0.01, start_within=0.1)
    supervisor.add(service(supervisor.home, "mute", SLEEPER, answers=lambda: False))
    with pytest.raises(GaveUp, match=r"mute failed 3 times in a row \(no answer within 0 s\)"):
        tick_until(supervisor, lambda: False)
    assert not supervisor.all["mute"].process.alive


def test_one_that_cannot_be_set_up_has_failed(supervisor: Supervisor, said: list[str]) -> None:
    def settle() -> None:
        raise ConnectionError("server closed\nthe connection")

    supervisor.add(service(supervisor.home, "engine", SLEEPER, settle=settle))
    with pytest.raises(GaveUp, match=r"engine failed 3 times in a row \(server closed the connection\)"):
        tick_until(supervisor, lambda: False)
    assert said[0] == "engine: server closed the connection; starting it again in 0.05 s"


def test_a_missing_program_is_one_clear_line(supervisor: Supervisor) -> None:
    program = Program(name="absent", argv=("/nowhere/absent",), log=supervisor.home.log("absent"))
    supervisor.add(Service(program=program, where="a test"))
    with pytest.raises(CannotStart, match=r"^absent: /nowhere/absent cannot be run: No such file or directory\.$"):
        supervisor.tick()


def test_stopping_leaves_nobody(supervisor: Supervisor, said: list[str]) -> None:
    """Not the children of a child, and not one that ignores SIGTERM."""
    supervisor.add(service(supervisor.home, "family", FAMILY))
    supervisor.add(service(supervisor.home, "stubborn", STUBBORN, grace=0.3))
    tick_until(supervisor, lambda: supervisor.all_running)
    parent = psutil.Process(supervisor.all["family"].process.pid)
    tick_until(supervisor, lambda: bool(parent.children()))
    tick_until(supervisor, lambda: bool(supervisor.all["stubborn"].process.tail()))
    everybody = [*parent.children(), parent, psutil.Process(supervisor.all["stubborn"].process.pid)]
    supervisor.stop_all()
    _gone, alive = psutil.wait_procs(everybody, timeout=5)
    assert not alive
    assert said == ["stubborn: does not stop, killed"]
    assert not supervisor.home.processes_file.exists()


def test_a_second_interrupt_waits_for_nobody(supervisor: Supervisor, said: list[str]) -> None:
    supervisor.add(service(supervisor.home, "stubborn", STUBBORN, grace=60))
    tick_until(supervisor, lambda: bool(supervisor.all["stubborn"].process.tail()))
    supervisor.hurry = True
    supervisor.stop_all()
    assert said == ["stubborn: killed without waiting"]


def test_a_higher_tier_is_stopped_first(supervisor: Supervisor) -> None:
    supervisor.add(service(supervisor.home, "engine", SLEEPER))
    supervisor.add(service(supervisor.home, "app", SLEEPER, tier=1))
    tick_until(supervisor, lambda: supervisor.all_running)
    order: list[str] = []
    for one in supervisor:
        kill = one.process.kill
        one.process.kill = lambda name=one.name, kill=kill: (order.append(name), kill())  # type: ignore[method-assign]
    supervisor.stop_all()
    assert order == ["app", "engine"]


@pytest.mark.parametrize(("failures", "seconds"), [(1, 0.5), (2, 1.0), (3, 2.0)])
def test_the_delay_doubles(failures: int, seconds: float) -> None:
    assert RestartPolicy().delay(failures) == seconds
