"""A real web server with two workers: whichever of them answers, /metrics shows what both have counted."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil
import pytest

from acme.devstack.ports import free_port
from acme.devstack.process import die_with_parent

PROJECT = Path(__file__).resolve().parents[3]
ENGINES = ("DATABASE_URL", "MONGODB_URL", "KAFKA_BOOTSTRAP_SERVERS", "CELERY_BROKER_URL")
REQUESTS = 60
HEALTHZ = 'acme_http_requests_total{method="GET",route="/healthz",side="other",status="2xx"}'


class Web:
    """gunicorn as `up` runs it; no engine is there, so a scrape only shows what was counted."""

    def __init__(self, home: Path, process: subprocess.Popen[bytes], port: int) -> None:
        self.home, self.process, self.port = home, process, port

    @property
    def workers(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children()

    @property
    def directory(self) -> Path:
        return self.home / "run" / "metrics" / str(self.process.pid)

    def get(self, path: str) -> httpx.Response:
        """On a connection of its own, so that either worker may take it."""
        return httpx.get(f"http://127.0.0.1:{self.port}{path}", timeout=10)

    def count(self) -> float:
        """Requests to /healthz, as one scrape shows them."""
        scraped = self.get("/metrics")
        assert scraped.status_code == 200, scraped.text
        found = [line.rpartition(" ")[2] for line in scraped.text.splitlines() if line.startswith(HEALTHZ)]
        assert len(found) <= 1, found
        return float(found[0]) if found else 0.0

    def counting(self) -> int:
        """How many workers have answered anything."""
        return len({re.sub(r"\D", "", file.name) for file in self.directory.glob("counter_*.db")})


@contextmanager
def serving(home: Path, config: str = "python:acme.http.server") -> Iterator[Web]:
    port = free_port()
    argv = ["-m", "gunicorn", "--config", config, "--bind", f"127.0.0.1:{port}", "--no-control-socket", "acme.wsgi"]
    environment = {name: value for name, value in os.environ.items() if name not in ENGINES}
    with (home / "web.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, *argv],
            cwd=PROJECT,
            env={**environment, "ACME_HOME": str(home), "ACME_ROLE": "query"},
            stdout=log,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_parent,
        )
    web = Web(home, process, port)
    try:
        until(lambda: answers(web), lambda: (home / "web.log").read_text())
        yield web
    finally:
        process.terminate()
        process.wait(30)


def answers(web: Web) -> bool:
    try:
        return web.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


def until(true: Callable[[], object], why: Callable[[], str] = str) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, f"it did not happen in time: {why()}"
        time.sleep(0.02)


def ask_both(web: Web) -> None:
    """Requests until both workers have counted some, at least `REQUESTS`."""
    for number in range(10 * REQUESTS):
        assert web.get("/healthz").status_code == 200
        if number > REQUESTS and web.counting() == 2:
            return
    pytest.fail("one worker took everything")


def test_any_worker_shows_what_all_have_counted(tmp_path: Path) -> None:
    with serving(tmp_path) as web:
        until(lambda: len(web.workers) == 2)
        ask_both(web)
        total = web.count()
        assert total > REQUESTS
        assert {web.count() for _ in range(15)} == {total}
        assert web.get("/metrics").text.count("# TYPE acme_http_requests_total counter") == 1

        victim = web.workers[0]
        victim.send_signal(signal.SIGKILL)
        until(lambda: victim.pid not in {worker.pid for worker in web.workers} and len(web.workers) == 2)
        assert {web.count() for _ in range(5)} == {total}, "what a dead worker counted still counts"
        assert web.get("/healthz").status_code == 200
        assert web.count() == total + 1
        assert web.directory.is_dir()
    assert not web.directory.exists(), "nothing is left"


def test_without_the_common_files_each_worker_shows_its_own(tmp_path: Path) -> None:
    """The test above would notice it."""
    config = tmp_path / "separate.py"
    config.write_text(
        "from acme.http.server import *\ndef on_starting(server): pass\ndef child_exit(server, worker): pass\n"
    )
    with serving(tmp_path, str(config)) as web:
        until(lambda: len(web.workers) == 2)
        for _ in range(REQUESTS):
            web.get("/healthz")
        seen: set[float] = set()
        until(lambda: seen.add(web.count()) or len(seen) > 1)


def test_files_of_an_earlier_server_do_not_count(tmp_path: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = tmp_path / "run" / "metrics" / str(gone.pid)
    other = tmp_path / "run" / "metrics" / str(os.getpid())
    for directory in (left, other):
        directory.mkdir(parents=True)
        (directory / "counter_1.db").write_bytes(b"\x00" * 64)
    with serving(tmp_path) as web:
        assert web.count() == 1, "the one by which we saw that it answers"
    assert not left.exists()
    assert other.exists(), "of a server that lives"
