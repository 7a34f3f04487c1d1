"""`manage.py projector` as an operator meets it when an engine is away, or when the words are wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[3]


def projector(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", "projector", *arguments],
        cwd=PROJECT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
    )


def test_once_without_postgresql_ends_with_3(mongo: str) -> None:
    ended = projector("run", "orders", "--once", DATABASE_URL="postgresql://a:b@127.0.0.1:1/acme", MONGODB_URL=mongo)
    assert ended.returncode == 3
    assert "an engine cannot be reached" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_status_without_mongodb_ends_with_3() -> None:
    ended = projector("status", MONGODB_URL="mongodb://127.0.0.1:1/acme")
    assert ended.returncode == 3
    assert "MongoDB cannot be reached" in ended.stderr


def test_wrong_words_end_with_2() -> None:
    assert projector("run").returncode == 2
    unknown = projector("run", "nothing")
    assert unknown.returncode == 2
    assert "no projection nothing" in unknown.stderr
