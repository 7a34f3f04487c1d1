"""`manage.py up` as a user runs it: starts, survives kills, keeps data, ends clean, and says what is wrong."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest

from acme.devstack.engine import EngineServer
from acme.devstack.engines import find_all
from acme.devstack.home import Home
from tests.stack import ADMIN, PROJECT, Stack

pytestmark = pytest.mark.timeout(300)


APPS = {"web", "projector-1", "relay", "worker", "beat"}
NAMES = APPS | {"postgres", "kafka", "mongodb", "redis"}


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    stack = Stack.start()
    yield stack
    stack.close()


def everybody(stack: Stack) -> list[psutil.Process]:
    """`up`, its children and all of theirs."""
    parent = psutil.Process(stack.process.pid)
    return [parent, *parent.children(recursive=True)]


def up(*options: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs `up` to its end, for starts that are refused."""
    return subprocess.run(
        [sys.executable, "manage.py", "up", *options],
        cwd=PROJECT,
        env={**Stack._environment(home, environment)},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_everything_runs_and_answers(stack: Stack) -> None:
    assert stack.processes.keys() == NAMES
    assert {one["state"] for one in stack.processes.values()} == {"running"}
    assert httpx.get(f"{stack.base_url}/readyz", timeout=60).status_code == 200
    login = httpx.post(f"{stack.base_url}/api/v1/auth/login", json=ADMIN, timeout=60)
    assert login.status_code == 200, login.text
    assert login.json().keys() >= {"access", "refresh"}


def test_every_process_shows_its_metrics_on_the_port_of_the_table(stack: Stack) -> None:
    for name in APPS:
        text = httpx.get(f"http://127.0.0.1:{stack.processes[name]['port']}/metrics", timeout=10).text
        assert "# TYPE acme_publish_seconds histogram" in text, name
        sources = set(re.findall(r'acme_scrape_collector_success\{collector="(\w+)"\} 1', text))
        wanted = {"web": {"projections", "outbox"}, "projector-1": {"projections"}, "beat": set()}
        assert sources == wanted.get(name, {"outbox"}), name


def test_other_commands_find_the_engines_by_themselves(stack: Stack) -> None:
    done = stack.manage("projector", "lag", "--json", check=False)
    assert done.returncode in {0, 1}, done.stderr
    assert json.loads(done.stdout)


@pytest.mark.parametrize(
    "name", ["web", "projector-1", "relay", "worker", "beat", "redis", "kafka", "mongodb", "postgres"]
)
def test_a_killed_process_comes_back_on_its_port(stack: Stack, name: str) -> None:
    port = stack.processes[name]["port"]
    old = stack.kill9(name)
    assert stack.wait_restarted(name, old) != old
    assert stack.processes[name]["port"] == port
    stack.wait_all_running()
    assert httpx.get(f"{stack.base_url}/readyz", timeout=60).status_code == 200


def test_a_second_up_on_the_same_home_is_refused(stack: Stack) -> None:
    second = up("--port", "0", home=stack.home)
    assert second.returncode == 3
    assert second.stdout == ""
    assert second.stderr.strip() == (
        f"CommandError: `manage.py up` already runs on {stack.home} (pid {stack.process.pid}): stop it first, "
        "or set ACME_HOME to another directory."
    )


def test_sigterm_stops_all_and_a_second_start_keeps_the_data(acme_stack: Callable[..., Stack], own_home: Home) -> None:
    first = acme_stack(home=own_home.root)
    processes = everybody(first)
    assert len(processes) > len(NAMES)
    assert first.stop() == 0
    _gone, alive = psutil.wait_procs(processes, timeout=1)
    assert not alive
    assert not own_home.engines_file.exists()
    assert not own_home.processes_file.exists()
    second = acme_stack(home=own_home.root)
    login = httpx.post(f"{second.base_url}/api/v1/auth/login", json=ADMIN, timeout=60)
    assert login.status_code == 200, login.text


def test_after_a_kill_nothing_is_left_when_the_next_has_started(
    acme_stack: Callable[..., Stack], own_home: Home
) -> None:
    first = acme_stack(home=own_home.root)
    with psycopg.connect(first.urls["DATABASE_URL"], autocommit=True) as connection:
        connection.execute("CREATE TABLE kept_over_a_kill (number int)")
        connection.execute("INSERT INTO kept_over_a_kill VALUES (7)")
    old = everybody(first)
    first.process.kill()
    first.process.wait()
    second = acme_stack(home=own_home.root)
    _gone, alive = psutil.wait_procs(old, timeout=1)
    assert not alive
    with psycopg.connect(second.urls["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT number FROM kept_over_a_kill").fetchall() == [(7,)]


def test_nothing_is_started_for_engines_of_the_environment(acme_stack: Callable[..., Stack], own_home: Home) -> None:
    with ExitStack() as servers:
        engines = find_all(own_home, lambda line: None, {})
        for engine in engines.ours:
            servers.callback(EngineServer(engine).start().stop)
        stack = acme_stack("--no-demo", "--workers", "2", **engines.urls)
        assert stack.processes.keys() == APPS | {"projector-2"}
        assert stack.urls == engines.urls  # so that other commands find them, wherever they were given
        assert "DATABASE_URL: from the environment, nothing is started for it" in stack.output
        assert httpx.get(f"{stack.base_url}/readyz", timeout=60).status_code == 200
        assert stack.stop() == 0
        assert all(engine.answers() for engine in engines.ours)


def test_ctrl_c_while_starting_leaves_nothing(acme_stack: Callable[..., Stack], own_home: Home) -> None:
    stack = Stack.start(home=own_home.root, wait=False)
    try:
        deadline = time.monotonic() + 60
        while not (own_home.processes_file.exists() and len(stack.processes) >= 2):
            assert time.monotonic() < deadline, stack.output
            time.sleep(0.02)
        children = everybody(stack)
        os.kill(stack.process.pid, signal.SIGINT)
        assert stack.process.wait(60) == 0
        _gone, alive = psutil.wait_procs(children, timeout=1)
        assert not alive
        assert stack.output.endswith("stopped\n")
    finally:
        stack.close()


def test_a_port_in_use_is_one_clear_line(own_home: Home) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        refused = up("--port", str(port), home=own_home.root)
    assert refused.returncode == 3
    assert refused.stderr.strip() == (
        f"CommandError: port {port} is in use: stop what listens there, or choose another with --port (0: a free one)."
    )


def test_an_engine_of_the_environment_that_does_not_answer_is_named(own_home: Home) -> None:
    refused = up("--port", "0", home=own_home.root, MONGODB_URL="mongodb://127.0.0.1:9/acme")
    assert refused.returncode == 3
    assert "MONGODB_URL is set in the environment and nothing answers there" in refused.stderr
    assert refused.stderr.count("\n") == 1


@pytest.mark.parametrize(
    "options", [["--port", "70000"], ["--port", "x"], ["--workers", "0"], ["--json"], ["--nonsense"]]
)
def test_wrong_usage_ends_with_2(own_home: Home, options: list[str]) -> None:
    assert up(*options, home=own_home.root).returncode == 2


def test_a_process_that_fails_three_times_ends_up_with_its_reason(own_home: Home) -> None:
    """A data directory that lacks PostgreSQL's settings: it says so itself, and `up` hands that on."""
    cluster = own_home.data("postgres")
    (cluster / "global").mkdir(parents=True)
    (cluster / "global" / "pg_control").write_text("")
    (cluster / "PG_VERSION").write_text("18\n")
    refused = up("--port", "0", home=own_home.root)
    assert refused.returncode == 3
    assert "postgres failed 3 times in a row" in refused.stderr
    assert "postgresql.conf" in refused.stderr.splitlines()[-1]


def test_the_check_passes_and_removes_everything() -> None:
    before = set(Path(tempfile.gettempdir()).glob("acme-check-*"))
    done = subprocess.run(
        [sys.executable, "manage.py", "up", "--check", "--json"],
        cwd=PROJECT,
        env={**os.environ, "MONGODB_URL": "mongodb://127.0.0.1:9/acme"},  # somebody's own: not to be touched
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["passed"]
    assert all(step["ok"] for step in answer["steps"])
    assert answer["commit_to_visible_ms"]["median"] < 1000
    assert set(Path(tempfile.gettempdir()).glob("acme-check-*")) == before
