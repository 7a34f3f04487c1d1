"""Processes beside the test: projectors with and without a defect, and an operator's commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from acme.devstack.process import die_with_parent
from queries.documents.dead_letters import parked
from tests.integration.projections.conftest import PROJECT, Shop, wait_until

#: `make faults` and `make outages` set ACME_FAULTS=long: 200 faults, a minute of outage, ten thousand letters.
#: In `make test` everything is short.
LONG = os.environ.get("ACME_FAULTS") == "long"


def environment(shop: Shop) -> dict[str, str]:
    """That of a process which works on the shop."""
    return {
        **os.environ,
        "DATABASE_URL": shop.database_url,
        "KAFKA_BOOTSTRAP_SERVERS": shop.broker.url,
        "MONGODB_URL": shop.mongo.url,
        "ACME_CURRENCY": "GBP",
    }


@dataclass(frozen=True)
class Ended:
    """A command that ended: its exit code and the one JSON object on its stdout."""

    code: int
    json: Any


class Asked:
    """`manage.py projector … --json`, under way."""

    def __init__(self, shop: Shop, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "manage.py", "projector", *arguments, "--json"],
            cwd=PROJECT,
            env=environment(shop),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            preexec_fn=die_with_parent,
        )

    def wait(self, seconds: float = 60) -> Ended:
        out, errors = self._process.communicate(timeout=seconds)
        assert out, errors.decode()
        return Ended(self._process.returncode, json.loads(out))


def ask(shop: Shop, *arguments: str) -> Ended:
    """The same, waited for."""
    return Asked(shop, *arguments).wait()


@contextmanager
def projector(shop: Shop, *names_and_options: str) -> Iterator[subprocess.Popen[bytes]]:
    """`tests.faults.defective` with its stdout in `output_of`; killed at the end unless it was ended before."""
    output = Path(tempfile.mkstemp(prefix="projector-", suffix=".out", dir=os.environ["ACME_HOME"])[1])
    with output.open("wb") as file, output.with_suffix(".log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.defective", *names_and_options],
            cwd=PROJECT,
            env=environment(shop),
            stdout=file,
            stderr=log,
            preexec_fn=die_with_parent,
        )
    process.output = output  # type: ignore[attr-defined]
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def output_of(process: subprocess.Popen[bytes]) -> str:
    return process.output.read_text()  # type: ignore[attr-defined]


def works(shop: Shop, process: subprocess.Popen[bytes], *names: str, seconds: float = 60) -> None:
    """Returns when the process has partitions of all these projections."""

    def has_all() -> bool:
        assert process.poll() is None, f"it ended with {process.returncode}"
        return all(shop.heartbeats(name).get(process.pid) for name in names)

    wait_until(has_all, seconds)


def ended(process: subprocess.Popen[bytes]) -> None:
    """SIGTERM: it finishes its batch and leaves its group."""
    process.terminate()
    assert process.wait(30) == 0


def calmly(true: Callable[[], Any], seconds: float) -> None:
    """Waits for something that is dear to look at: counting thousands of letters keeps the embedded server busy."""
    deadline = time.monotonic() + seconds
    looked = time.monotonic()
    while not true():
        assert time.monotonic() < deadline, f"it did not happen in {seconds} s"
        time.sleep(max(0.2, 10 * (time.monotonic() - looked)))
        looked = time.monotonic()


def letters(shop: Shop, name: str, **chosen: Any) -> int:
    """Parked ones of a projection."""
    collection = shop.store["projection_dead_letters"]
    return sum(collection.count_documents({**part, **chosen}) for part in parked(shop.store, name, 1))
