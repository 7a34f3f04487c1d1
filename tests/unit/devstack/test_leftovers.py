"""What a killed `up` left running is ended by pid and start time; nobody else is."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from acme.devstack.process import end_leftovers

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
# The child tells its pid itself: in the moment of its exec the kernel shows no environment of it.
CHILD = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
PARENT = [sys.executable, "-c", f"import subprocess, sys; subprocess.run([sys.executable, '-c', {CHILD!r}])"]


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    yield from _child(SLEEP, tmp_path)


@pytest.fixture
def family(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    yield from _child(PARENT, tmp_path)


def _child(command: list[str], home: Path) -> Iterator[subprocess.Popen[bytes]]:
    environment = {**os.environ, "ACME_HOME": str(home)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, start_new_session=True) as process:
        yield process
        process.kill()


def record(pid: int, *, age: float = 0.0) -> dict[str, float | None]:
    return {"pid": pid, "create_time": psutil.Process(pid).create_time() - age, "port": None}


def test_a_recorded_process_is_ended(sleeper: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert end_leftovers({"web": record(sleeper.pid)}, tmp_path) == ["web"]
    assert not psutil.pid_exists(sleeper.pid)


def test_a_pid_that_another_program_has_got_since_is_left_alone(
    sleeper: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    assert end_leftovers({"web": record(sleeper.pid, age=3600)}, tmp_path) == []
    assert sleeper.poll() is None


def test_children_of_a_leader_that_is_dead_are_ended(family: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert family.stdout is not None
    child = psutil.Process(int(family.stdout.readline()))
    leader = record(family.pid)
    family.kill()
    family.wait()
    assert end_leftovers({"web": leader}, tmp_path) == ["web"]
    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE


def test_children_of_another_home_are_left_alone(family: subprocess.Popen[bytes], tmp_path: Path) -> None:
    assert family.stdout is not None
    child = psutil.Process(int(family.stdout.readline()))
    leader = record(family.pid)
    family.kill()
    family.wait()
    assert end_leftovers({"web": leader}, tmp_path / "other") == []
    assert child.is_running()
    child.kill()
