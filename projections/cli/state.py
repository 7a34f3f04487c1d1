"""In what states a projection is, in words, from a row of `projections.runtime.report.status_rows`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from projections.cli.words import ago, counted, duration, plain

Row = dict[str, Any]
FINE, NOTABLE, BAD = "green", "yellow", "bold red"
#: Workers' states that want somebody to look.
STUCK = ("blocked", "hanging")


@dataclass(frozen=True, kw_only=True)
class State:
    """``word`` for a table's cell; ``why`` for a line below it (empty: the word says it all)."""

    word: str
    style: str = FINE
    why: str = ""


def states(row: Row) -> list[State]:
    """The worst first; never empty."""
    found = [*_stuck(row), *_parked(row), *_gapped(row), *_unknown(row), *_paused(row), *_due(row)]
    return [*found, *_working(row, quiet=bool(row.get("paused")))] or [State(word="idle")]


def wants_somebody(row: Row) -> bool:
    """Whether `status` ends with 1: letters are parked, or something is blocked or hangs."""
    return any(state.style == BAD for state in states(row))


def working(row: Row) -> bool:
    """Whether a worker is alive that can carry something out."""
    return any(worker["state"] != "hanging" for worker in row["workers"])


def notes(row: Row) -> list[str]:
    """What the words do not say, a line each."""
    return [f"{row['projection']}: {state.why}" for state in states(row) if state.why]


def _stuck(row: Row) -> list[State]:
    found: list[State] = []
    for worker in row["workers"]:
        who = f"{worker['host']}:{worker['pid']}"
        parts = worker.get("blocked") or []
        found.extend(State(word="blocked", style=BAD, why=_blocked(part)) for part in parts)
        if worker["state"] == "hanging":
            found.append(State(word="hanging", style=BAD, why=f"worker {who} hangs, end it; {plain(worker['detail'])}"))
        elif worker["state"] == "blocked" and not parts:
            found.append(State(word="blocked", style=BAD, why=f"worker {who}: {plain(worker['detail'])}"))
    return found


def _blocked(part: Row) -> str:
    since = f", since {ago(part['since'])}" if isinstance(part.get("since"), str) else ""
    return f"{part['topic']}[{part['partition']}] is blocked ({part['kind']}): {plain(part['why'])}{since}"


def _parked(row: Row) -> list[State]:
    letters, aggregates = row.get("parked") or 0, len(row.get("stopped") or ()) or row["stopped_aggregates"]
    if letters:
        age = row.get("parked_seconds")
        since = f", the oldest for {duration(age)}" if age is not None else ""
        why = f"{counted(letters, 'letter')} parked{since}: manage.py projector dlq list {row['projection']}"
        return [State(word="parked", style=BAD, why=why)]
    if aggregates:
        return [State(word="parked", style=BAD, why=f"{counted(aggregates, 'aggregate')} stopped")]
    return []


def _gapped(row: Row) -> list[State]:
    number = row.get("gapped") or 0
    if not number:
        return []
    look = f"manage.py projector dlq list {row['projection']} --state discarded, then resync"
    why = f"{counted(number, 'aggregate')} gapped, because events were discarded: {look}"
    return [State(word="gapped", style=NOTABLE, why=why)]


def _unknown(row: Row) -> list[State]:
    if row["lag"] != "unknown":
        return []
    return [State(word="lag unknown", style=NOTABLE)]


def _paused(row: Row) -> list[State]:
    paused = row.get("paused")
    if not paused:
        return []
    note = paused if isinstance(paused, dict) else {}
    by = f" by {plain(note['by'])}" if note.get("by") else ""
    since = f" {ago(note['at'])}" if isinstance(note.get("at"), str) else ""
    reason = f": {plain(note['reason'])}" if note.get("reason") else ""
    return [State(word="paused", style=NOTABLE, why=f"paused{by}{since}{reason}")]


def _due(row: Row) -> list[State]:
    if not row["rebuild_due"]:
        return []
    return [State(word="rebuild due", style=NOTABLE, why="its code has another version than the live generation")]


def _working(row: Row, *, quiet: bool) -> list[State]:
    """What its workers do besides; ``quiet`` leaves out what a pause says already."""
    if not row["workers"]:
        return [State(word="not running", style=NOTABLE)]
    words = {worker["state"] for worker in row["workers"]} - set(STUCK) - ({"paused", "running"} if quiet else set())
    if words == {"running", "waiting for partitions"}:
        words = {"running"}  # one of many that has nothing to do is no news
    return [_work(word, row) for word in sorted(words)]


def _work(word: str, row: Row) -> State:
    if word == "running":
        return State(word=word)
    details = sorted({plain(worker["detail"]) for worker in row["workers"] if worker["state"] == word} - {""})
    return State(word=word, style=NOTABLE, why=f"{word}: {'; '.join(details)}" if details else "")
