"""In what states a projection is, in words, from a row of `projections.runtime.report.status_rows`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from projections.cli.words import ago, counted, duration, plain

Row = dict[str, Any]
FINE, NOTABLE, BAD = "green", "yellow", "bold red"
#: Workers' states that want somebody to look.
STUCK = ("blocked", "hanging")
PAUSED = "paused"


@dataclass(frozen=True, kw_only=True)
class State:
    """``word`` for a table's cell; ``why`` for a line below it, if the word is not enough; ``look``: what to type."""

    word: str
    style: str = FINE
    why: str = ""
    look: str = ""


def states(row: Row) -> list[State]:
    """The worst first; never empty."""
    found = [*_stuck(row), *_absent(row), *_parked(row), *_gapped(row), *_unknown(row), *_paused(row)]
    found += [*_rebuilding(row), *_due(row)]
    found += _working(row, quiet=bool(row.get("paused")))
    return [*(found or [State(word="idle")]), *_kept(row)]


def wants_somebody(row: Row) -> bool:
    """Whether `status` ends with 1: letters are parked, something is blocked or hangs, or nobody works on it."""
    return any(state.style == BAD for state in states(row))


def working(row: Row) -> bool:
    """Whether a worker is alive that can carry something out."""
    return any(worker["state"] != "hanging" for worker in row["workers"])


def notes(row: Row) -> list[str]:
    """What the words do not say; commands on lines of their own, so that they can be copied."""
    return [
        f"{row['projection']}: {state.why}" + (f"\n  manage.py projector {state.look}" if state.look else "")
        for state in states(row)
        if state.why
    ]


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
    since = f", {ago(part['since'])}" if part.get("since") else ""
    return f"{part['topic']}[{part['partition']}] is blocked ({part['kind']}{since}): {plain(part['why'])}"


def _absent(row: Row) -> list[State]:
    """Nobody works on it. A pause says itself that nothing goes on, and what was never run is missed by nobody."""
    if row["workers"] or row.get("paused"):
        return []
    if not row.get("was_run", True):
        return [State(word="never run", style=NOTABLE)]
    why = "nobody works on it; nothing is applied"
    return [State(word="not running", style=BAD, why=why, look=f"run {row['projection']}")]


def _parked(row: Row) -> list[State]:
    letters, aggregates = row.get("parked") or 0, len(row.get("stopped") or ()) or row["stopped_aggregates"]
    if letters:
        age = row.get("parked_seconds")
        since = f", the oldest for {duration(age)}" if age is not None else ""
        why = f"{counted(letters, 'letter')} parked{since}"
        return [State(word="parked", style=BAD, why=why, look=f"dlq stats {row['projection']}")]
    if aggregates:
        return [State(word="parked", style=BAD, why=f"{counted(aggregates, 'aggregate')} stopped")]
    return []


def _gapped(row: Row) -> list[State]:
    number = row.get("gapped") or 0
    if not number:
        return []
    why = f"{counted(number, 'aggregate')} gapped, because events were discarded; each wants a resync"
    return [State(word="gapped", style=NOTABLE, why=why, look=f"dlq list {row['projection']} --state discarded")]


def _unknown(row: Row) -> list[State]:
    if row["lag"] != "unknown" or not row["workers"]:  # without workers it cannot be known
        return []
    return [State(word="lag unknown", style=NOTABLE)]


def _paused(row: Row) -> list[State]:
    paused = row.get("paused")
    if not paused:
        return []
    reason = f": {plain(paused['reason'])}" if paused["reason"] else ""
    return [State(word=PAUSED, style=NOTABLE, why=f"paused by {plain(paused['by'])} {ago(paused['at'])}{reason}")]


def _rebuilding(row: Row) -> list[State]:
    building = row.get("building")
    if not building:
        return []
    done = f"generation {building['generation']} has {building['applied']:,} events from the {building['source']}"
    asked = f"{done}, asked by {plain(building['by'])} {ago(building['at'])}"
    if building["in_work"]:
        return [State(word="rebuilding", why=asked)]
    why = f"a rebuild was not finished, the same command goes on: {asked}"
    return [State(word="rebuild unfinished", style=NOTABLE, why=why, look=f"rebuild {row['projection']}")]


def _due(row: Row) -> list[State]:
    if not row["rebuild_due"] or row.get("building"):
        return []
    why = "its code has another version than the live generation"
    return [State(word="rebuild due", style=NOTABLE, why=why, look=f"rebuild {row['projection']}")]


def _kept(row: Row) -> list[State]:
    """The generation before, which costs every write once more until somebody drops it."""
    kept = row.get("previous")
    if not kept:
        return []
    followed = "kept up to date" if kept["followed"] else "no longer kept up to date"
    why = f"generation {kept['generation']} is {followed} for a rollback, until it is dropped"
    return [State(word=f"g{kept['generation']} kept", why=why, look=f"rebuild {row['projection']} --drop-old")]


def _working(row: Row, *, quiet: bool) -> list[State]:
    """What its workers do besides; ``quiet`` leaves out what a pause says already."""
    if not row["workers"]:
        return [State(word="not running", style=NOTABLE)] if quiet else []
    words = {worker["state"] for worker in row["workers"]} - set(STUCK) - ({"paused", "running"} if quiet else set())
    if words == {"running", "waiting for partitions"}:
        words = {"running"}  # one of many that has nothing to do is no news
    return [_work(word, row) for word in sorted(words)]


def _work(word: str, row: Row) -> State:
    if word == "running":
        return State(word=word)
    details = sorted({plain(worker["detail"]) for worker in row["workers"] if worker["state"] == word} - {""})
    return State(word=word, style=NOTABLE, why=f"{word}: {'; '.join(details)}" if details else "")
