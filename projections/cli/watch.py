"""`projector lag --watch`: looks again and again until Ctrl-C; an engine that is away is said and waited for."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pymongo
from pymongo.errors import PyMongoError
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from acme.contracts.envelope import time_text
from projections.cli.output import Output
from projections.cli.pace import Measurement, Pace
from projections.cli.publisher import PublisherLooks, publisher_line
from projections.cli.rows import status_rows
from projections.cli.state import states
from projections.cli.state_tables import lag_table
from projections.cli.store import open_store
from projections.cli.words import one_line
from projections.runtime.projection import Projection
from queries.documents.connection import database

SECONDS = 5.0  # that one look may take
#: What only `status` shows.
NOT_LAG = {"workers", "stopped"}


def watch(projections: Iterable[Projection], output: Output, *, interval: float, limit: float | None) -> int:
    """0 after Ctrl-C. Raises pymongo's errors at the first look only."""
    open_store()
    watcher = _Watcher(list(projections), limit, wide=output.wide)
    shown = watcher.look(first=True)
    try:
        if output.as_json:
            while True:
                output.emit(watcher.json)
                time.sleep(interval)
                watcher.look()
        elif output.console.is_terminal:
            with Live(shown, console=output.console, auto_refresh=False) as live:
                while True:
                    time.sleep(interval)
                    live.update(watcher.look(), refresh=True)
        while True:
            output.show(shown)
            time.sleep(interval)
            shown = watcher.look()
    except KeyboardInterrupt:
        return 0


class _Watcher:
    """One look after the other, and what they show of rates. ``json`` is the last look for machines."""

    def __init__(self, projections: list[Projection], limit: float | None, *, wide: bool) -> None:
        self._projections, self._limit, self._wide = projections, limit, wide
        self._publisher = PublisherLooks()
        self._measurements: dict[str, Measurement] = defaultdict(Measurement)
        self.json: dict[str, Any] = {}

    def look(self, *, first: bool = False) -> RenderableType:
        """The table; a sentence while MongoDB cannot be reached, which ``first`` raises."""
        now = time_text(datetime.now(UTC))
        try:
            with pymongo.timeout(SECONDS):
                rows = status_rows(database(), self._projections)
        except PyMongoError as error:
            if first:
                raise
            self.json = {"at": now, "error": one_line(error)}
            return Text(f"{now}: MongoDB cannot be reached: {one_line(error)}", style="bold red")
        at = time.monotonic()
        paces = {row["projection"]: self._measurements[row["projection"]].add(row, at) for row in rows}
        publisher = self._publisher.look()
        self.json = {"at": now, "projections": [_plain(row, paces[row["projection"]]) for row in rows]}
        if publisher:
            self.json["publisher"] = publisher
        table = lag_table(rows, paces, limit=self._limit, wide=self._wide)
        return Group(table, *publisher_line(publisher), Text(f"\n{now}; Ctrl-C ends it", style="dim"))


def _plain(row: dict[str, Any], pace: Pace) -> dict[str, Any]:
    known = {name: value for name, value in row.items() if name not in NOT_LAG}
    rate = None if pace.rate is None else round(pace.rate, 1)
    catch_up = None if pace.catch_up is None else round(pace.catch_up, 1)
    words = [state.word for state in states(row)]
    return {**known, "events_per_second": rate, "catch_up_seconds": catch_up, "trend": pace.trend, "states": words}
