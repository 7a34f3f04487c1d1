"""`manage.py` without engines says so in one line, whichever command it is."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.composition import PROJECT

NOBODY = "postgresql://acme@127.0.0.1:1/acme"


def manage(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", *arguments],
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("command", ["migrate", "create_users", "seed_demo", "relay", "create_topics", "projector lag"])
def test_without_engines_a_command_says_what_to_do(command: str, tmp_path: Path) -> None:
    done = manage(*command.split(), ACME_HOME=str(tmp_path))
    assert done.returncode == 3
    assert "is not set and no engines run under" in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr


@pytest.mark.parametrize("command", ["migrate", "create_users", "seed_demo"])
def test_an_engine_that_does_not_answer_is_named(command: str, tmp_path: Path) -> None:
    done = manage(command, ACME_HOME=str(tmp_path), DATABASE_URL=NOBODY)
    assert done.returncode == 3
    assert "PostgreSQL cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_variable_that_cannot_be_used_is_usage(tmp_path: Path) -> None:
    done = manage("migrate", ACME_HOME=str(tmp_path), ACME_ROLE="both")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "ACME_ROLE" in done.stderr


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("up --port 80x", "80x is no port"),
        ("up --port -1", "-1 is no port"),
        ("up --port 65536", "65536 is no port"),
        ("up --workers none", "none: a whole number, at least 1"),
        ("import_orders x.csv --batch 0", "0: a whole number, at least 1"),
        ("import_products x.csv --batch 1.5", "1.5: a whole number, at least 1"),
    ],
)
def test_a_number_that_cannot_be_used_is_said_in_words(command: str, said: str, tmp_path: Path) -> None:
    done = manage(*command.split(), ACME_HOME=str(tmp_path))
    assert done.returncode == 2 and said in done.stderr and "invalid _" not in done.stderr
