"""How far the projections are behind, for the table of `up`: asked of `manage.py projector lag` now and then."""

from __future__ import annotations

import json
import os
import subprocess
import time
from typing import Any

from acme.devstack.home import Home
from acme.devstack.services import MANAGE, PROJECT, environment

INTERVAL = 10.0  # seconds; every question starts a Python process that takes most of one


class LagReader:
    """Asks in the background; `words` never waits."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._asked = -INTERVAL
        self._process: subprocess.Popen[bytes] | None = None
        self._words = "not known yet"

    def words(self) -> str:
        """The latest answer in words: "0 events", "12 events, 0.8 s (products)", "unknown"."""
        if self._process is not None and self._process.poll() is not None:
            self._words = in_words(self._process.communicate()[0].decode(errors="replace"))
            self._process = None
        if self._process is None and time.monotonic() - self._asked > INTERVAL:
            self._ask()
        return self._words

    def close(self) -> None:
        """Ends a question that is still open."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def _ask(self) -> None:
        self._asked = time.monotonic()
        self._process = subprocess.Popen(  # noqa: S603 (our own command)
            [*MANAGE, "projector", "lag", "--json"],
            cwd=PROJECT,
            env={**os.environ, **environment(self._home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )


def in_words(output: str) -> str:
    """The answer of `projector lag --json` in a few words; the projection that is furthest behind is named."""
    try:
        rows = json.loads(output)["projections"]
    except ValueError:
        return "unknown (projector lag does not answer)"
    if not rows:
        return "no projections"
    unknown = [row for row in rows if row["lag"] == "unknown"]
    if len(unknown) == len(rows):
        return "unknown (no projector has looked for some seconds)"
    if unknown:
        return f"unknown ({', '.join(row['projection'] for row in unknown)})"
    worst = max(rows, key=lambda row: (_events(row), row["seconds"]))
    words = f"{_events(worst)} events"
    if _events(worst):
        words += f", {worst['seconds']:.1f} s ({worst['projection']})"
    stopped = sum(row["stopped_aggregates"] for row in rows)
    return words + (f"; {stopped} aggregates stopped, see `manage.py projector status`" if stopped else "")


def _events(row: dict[str, Any]) -> int:
    return int(row["unnumbered"] + row["unacknowledged"] + row["unprojected"])
