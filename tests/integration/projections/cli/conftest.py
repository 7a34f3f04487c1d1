"""`manage.py projector` in this process, on a read store of the test's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from pymongo.database import Database

from projections.management.commands.projector import Command
from queries.documents import connection


@dataclass(frozen=True)
class Ended:
    """How a command ended: exit code, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on stdout; fails when there is anything else."""
        return json.loads(self.out)

    @property
    def width(self) -> int:
        return max(len(line) for line in self.out.splitlines())


Projector = Callable[..., Ended]


@pytest.fixture
def projector(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Projector:
    """``projector("dlq", "list", …)`` as the shell would: the answer has the exit code and both outputs."""
    monkeypatch.setenv("COLUMNS", "80")

    def call(*arguments: str) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            Command().run_from_argv(["manage.py", "projector", *arguments])
        said = capsys.readouterr()
        return Ended(int(ended.value.code or 0), said.out, said.err)

    return call


@pytest.fixture
def at_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What `projector` writes is for a terminal of 80 columns without colours; without this it is for a pipe."""
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes it for a terminal then
    monkeypatch.setenv("TERM", "dumb")


@pytest.fixture
def store_url(mongo: str, mongo_database: str) -> str:
    return f"{mongo.rpartition('/')[0]}/{mongo_database}"


@pytest.fixture
def store(store_url: str, point_mongodb: Callable[[str | None], None]) -> Database[dict[str, Any]]:
    """Empty."""
    point_mongodb(store_url)
    return connection.database()
