"""Tables of dead letters: the list, the statistics by fingerprint, and what a retry would come to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from rich.console import Group
from rich.table import Table

from projections.cli.choices import letter_name
from projections.cli.tables import narrow, text
from projections.cli.words import ago, counted, number, plain
from projections.runtime.dry_run import DryRun

Row = dict[str, Any]
SHOWN = 100  # rows of a dry run
NAME = 25  # characters of a letter's name that fit beside an id into 80 columns


def letters_table(rows: Iterable[Row]) -> Table:
    """A letter takes some lines: where it is, what it is and of which aggregate, and why it is there."""
    table = narrow("", "letter", "event and aggregate", "why")
    shown = [(letter_name(row["id"]), row) for row in rows]
    table.columns[0].no_wrap = all(len(name) <= NAME for name, _ in shown)
    table.columns[1].no_wrap = True  # so that ids can be copied
    for name, row in shown:
        table.add_row(text(name), text(_event(row)), text(_why(row)))
    return table


def _event(row: Row) -> str:
    key = (row.get("aggregate") or "").rpartition(":")[2]
    if not key:
        return "no event: it cannot be decoded"
    return f"{row['event_type']}, version {row['aggregate_version']}\n{key}"


def _why(row: Row) -> str:
    if row["state"] == "discarded":
        by = f"discarded by {row['discarded_by']} {ago(row['discarded_at'])}"
        return f"{by}: {row['discarded_reason']}"
    asked = "\nin a request" if row.get("request") else ""
    if row["held"]:
        return f"held behind {row['held_by']}, {ago(row['first_at'])}{asked}"
    return f"{row['fingerprint']}\n{row['error']}\n{counted(row['attempts'], 'attempt')}, {ago(row['last_at'])}{asked}"


def statistics_table(rows: Iterable[Row]) -> Table:
    """A line for each projection and fingerprint."""
    columns = ("projection", "fingerprint", "failed", "held", "aggre-|gates", "why")
    table = narrow("Dead letters by what failed in the same way", *columns, right=columns[2:5])
    for row in rows:
        counts = (row["failing"], row["held"], row["aggregates"])
        table.add_row(row["projection"], text(row["fingerprint"]), *map(number, counts), text(_reason(row)))
    return table


def _reason(row: Row) -> str:
    lines = []
    if row["letters"]:
        lines.append(f"{row['event_type'] or 'no event'}: {row['error']}")
        lines.append(f"oldest {ago(row['oldest_at'])}, up to {counted(row['attempts'], 'attempt')}")
    if row["discarded"]:
        lines.append(f"{number(row['discarded'])} discarded")
    return "\n".join(lines)


def requests_lines(rows: Sequence[Row]) -> list[str]:
    """A line for each request that is not carried out yet."""
    lines = [
        f"{row['projection']}: {row['action']} of {row['selection']}, asked by {plain(row['by'])} {ago(row['at'])}: "
        f"{number(row['total'] - row['waiting'])} of {number(row['total'])} tried"
        for row in rows
    ]
    return ["\nRequests that are not carried out yet:", *lines] if lines else []


def dry_run_table(rows: Sequence[DryRun]) -> Group:
    """Those that would fail first, then those that would go in; at most `SHOWN` of them. Then how many of each."""
    table = narrow("What a retry would come to; nothing was written", "letter", "aggregate", "outcome")
    for row in sorted(rows, key=lambda row: row.ok)[:SHOWN]:
        aggregate = (row.aggregate or "no event").replace(":", ":\n")
        outcome = text("goes in", "green") if row.ok else text(row.error, "red")
        table.add_row(text(letter_name(row.letter)), text(aggregate), outcome)
    return Group(table, *(text(line) for line in _summary(rows)))


def _summary(rows: Sequence[DryRun]) -> list[str]:
    bad = [row for row in rows if not row.ok]
    failing = list({row.aggregate or row.letter: row for row in reversed(bad)}.values())  # the first of each aggregate
    more = [f"({len(rows) - SHOWN:,} more rows: --json has all)"] if len(rows) > SHOWN else []
    good = f"\n{counted(len(rows) - len(bad), 'letter')} would go in, {number(len(failing))} would fail"
    held = f", {number(len(bad) - len(failing))} would wait behind them" if len(bad) > len(failing) else ""
    errors = Counter(row.error for row in failing).most_common(10)
    return [*more, good + held, *(f"{count:,} × {error}" for error, count in errors)]
