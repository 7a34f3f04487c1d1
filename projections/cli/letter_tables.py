"""Tables of dead letters: the list, the statistics by fingerprint, and what a retry would come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table

from projections.cli.choices import letter_name
from projections.cli.tables import lines, table, text
from projections.cli.words import ago, counted, number, plain
from projections.runtime.dry_run import DryRun

Row = dict[str, Any]
SHOWN = 100  # rows of a dry run


def letters_table(rows: Iterable[Row], *, wide: bool) -> Table:
    """Where a letter is, what it is and of which aggregate; and why it is there."""
    columns = ("letter, event and aggregate", "why")
    made = table("", *columns, whole=columns[:1], wide=wide)
    for row in rows:
        what = lines(letter_name(row["id"]), _event(row), row.get("aggregate"), wide=wide)
        made.add_row(text(what), text(lines(*_why(row), wide=wide)))
    return made


def _event(row: Row) -> str:
    if not row.get("aggregate"):
        return "no event: it cannot be decoded"
    return f"{row['event_type']}, version {row['aggregate_version']}"


def _why(row: Row) -> tuple[str, ...]:
    if row["state"] == "discarded":
        by = f"discarded by {row['discarded_by']} {ago(row['discarded_at'])}"
        return (f"{by}: {row['discarded_reason']}",)
    asked = "in a request" if row.get("request") else ""
    if row["held"]:
        return (f"held behind {row['held_by']}, {ago(row['first_at'])}", asked)
    tried = f"{counted(row['attempts'], 'attempt')}, {ago(row['last_at'])}"
    return (row["fingerprint"], row["error"], tried, asked)


def statistics_table(rows: Iterable[Row], *, wide: bool) -> Table:
    """A line for each projection and fingerprint."""
    columns = ("projection", "fingerprint", "failed", "held", "aggre-|gates", "why")
    title = "Dead letters by what failed in the same way"
    made = table(title, *columns, right=columns[2:5], whole=columns[:2], wide=wide)
    for row in rows:
        counts = (row["failing"], row["held"], row["aggregates"])
        reason = text(lines(*_reasons(row), wide=wide))
        made.add_row(row["projection"], text(row["fingerprint"]), *map(number, counts), reason)
    return made


def _reasons(row: Row) -> list[str]:
    found = []
    if row["letters"]:
        found.append(f"{row['event_type'] or 'no event'}: {row['error']}")
        found.append(f"oldest {ago(row['oldest_at'])}, up to {counted(row['attempts'], 'attempt')}")
    if row["discarded"]:
        found.append(f"{number(row['discarded'])} discarded")
    return found


def requests_lines(rows: Sequence[Row]) -> list[str]:
    """A line for each request that is not carried out yet."""
    shown = [
        f"{row['projection']}: {row['action']} of {row['selection']}, asked by {plain(row['by'])} {ago(row['at'])}: "
        f"{number(row['total'] - row['waiting'])} of {number(row['total'])} tried; its number is {row['id']}"
        for row in rows
    ]
    return ["\nRequests that are not carried out yet:", *shown] if shown else []


def dry_run_table(rows: Sequence[DryRun], *, wide: bool) -> Group:
    """Those that would fail first, then those that would go in; at most `SHOWN` of them. Then how many of each."""
    columns = ("letter and aggregate", "outcome")
    made = table("What a retry would come to; nothing was written", *columns, whole=columns[:1], wide=wide)
    for row in sorted(rows, key=lambda row: row.ok)[:SHOWN]:
        what = lines(letter_name(row.letter), row.aggregate or "no event", wide=wide)
        outcome = text("goes in", "green") if row.ok else text(lines(row.error, wide=wide), "red")
        made.add_row(text(what), outcome)
    return Group(made, *(text(line) for line in _summary(rows)))


def _summary(rows: Sequence[DryRun]) -> list[str]:
    bad = [row for row in rows if not row.ok]
    failing = list({row.aggregate or row.letter: row for row in reversed(bad)}.values())  # the first of each aggregate
    more = [f"({len(rows) - SHOWN:,} more rows: --json has all)"] if len(rows) > SHOWN else []
    good = f"\n{counted(len(rows) - len(bad), 'letter')} would go in, {number(len(failing))} would fail"
    held = f", {number(len(bad) - len(failing))} would wait behind them" if len(bad) > len(failing) else ""
    errors = Counter(row.error for row in failing).most_common(10)
    return [*more, good + held, *(f"{count:,} × {error}" for error, count in errors)]
