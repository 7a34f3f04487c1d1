"""Following a request until workers have carried it out: what is said at once, the bar, and what it came to."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from typing import Any

from projections.cli.arguments import seconds
from projections.cli.choices import letter_name
from projections.cli.control import add_by
from projections.cli.output import Output
from projections.cli.rows import status_rows
from projections.cli.state import PAUSED, states, working
from projections.cli.subcommand import Options
from projections.cli.words import counted, plain
from projections.runtime import requests
from projections.runtime.letterbox import IN_ORDER, LETTERS, Store
from projections.runtime.projection import Projection
from projections.runtime.requests import Asked, Progress

FEW = 5  # letters that are named
STAYS = "The request stays and is carried out"


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A request that was made, how far it has come, and in words what that means. ``code``: for the exit."""

    progress: Progress
    code: int
    words: str
    failures: tuple[tuple[str, str], ...] = ()  # some of the letters that failed again, and why

    @property
    def plain(self) -> dict[str, Any]:
        failures = [{"letter": key, "error": error} for key, error in self.failures]
        return {**asdict(self.progress), "failures": failures, "words": self.words}

    @property
    def again(self) -> list[str]:
        """A line for each of the failures."""
        return [f"  {letter_name(key)}: {plain(error)}" for key, error in self.failures]


def add_waiting(parser: argparse.ArgumentParser) -> None:
    """``--wait SECONDS | --no-wait`` and ``--by``."""
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--wait", type=seconds, default=60.0, metavar="SECONDS", help="give up when nothing moves for so long (60)"
    )
    which.add_argument("--no-wait", action="store_true", help="ask, and do not wait until it is carried out")
    add_by(parser)


def nobody(store: Store, projection: Projection) -> str:
    """Why nothing will be carried out now: it is paused, or nobody works on it. Empty when somebody will."""
    (row,) = status_rows(store, [projection])
    if row.get("paused"):
        said = next((state.why for state in states(row) if state.word == PAUSED), PAUSED)
        return f"{said}. {STAYS} after manage.py projector resume {projection.name}"
    if not working(row):
        return f"nobody works on it. {STAYS} after manage.py projector run {projection.name}"
    return ""


def follow(store: Store, projection: Projection, asked: Asked, options: Options, output: Output) -> Outcome:
    """Waits as the options say. Ctrl-C ends the wait, not the request."""
    why = nobody(store, projection)
    latest = requests.progress(store, asked.id)
    if why and not latest.finished:
        return Outcome(progress=latest, code=1, words=f"{why}; {_number(latest)}")
    if options["no_wait"]:
        return Outcome(progress=latest, code=0, words=f"asked; {_number(latest)}")
    with output.progress(f"{latest.action} {projection.name}", asked.total) as move:

        def moved(progress: Progress) -> None:
            move(done=progress.done, failed=progress.failed, held=progress.held, waiting=progress.waiting)

        try:
            latest = requests.wait(store, asked.id, seconds=options["wait"], on_progress=moved)
        except KeyboardInterrupt:
            latest = requests.progress(store, asked.id)
            return Outcome(progress=latest, code=1, words=f"no longer watched: {_open(latest)}")
    if not latest.finished:
        return Outcome(progress=latest, code=1, words=f"nothing moved for {options['wait']:g} s: {_open(latest)}")
    failures = _failures(store, asked.id) if latest.failed else ()
    return Outcome(progress=latest, code=_code(latest), words=_came_to(latest), failures=failures)


def _failures(store: Store, request: str) -> tuple[tuple[str, str], ...]:
    """The first few letters that failed again: key and error."""
    failed = {"outcome.request": request, "outcome.result": "failed"}
    rows = store[LETTERS].find(failed, {"outcome.error": 1, "error": 1}).sort(IN_ORDER).limit(FEW)
    return tuple((row["_id"], row["outcome"].get("error") or row["error"]) for row in rows)


def _open(progress: Progress) -> str:
    return f"{_counts(progress)}, {progress.waiting:,} still waiting. {STAYS} all the same; {_number(progress)}"


def _number(progress: Progress) -> str:
    """For machines and for whoever compares; what is still open is listed with it."""
    return f"its number is {progress.id}, see manage.py projector dlq stats {progress.projection}"


def _code(progress: Progress) -> int:
    return 0 if progress.done == progress.total and not progress.failed else 1


def _came_to(progress: Progress) -> str:
    if progress.action == requests.RESYNC:
        return plain(progress.message) or ("done" if progress.done else "not done")
    return _counts(progress)


def _counts(progress: Progress) -> str:
    verb = "discarded" if progress.action == requests.DISCARD else "applied"
    said = f"{progress.done:,} of {counted(progress.total, 'letter')} {verb}"
    if progress.failed or progress.held:
        said += f", {progress.failed:,} failed again, {progress.held:,} held behind them"
    return said
