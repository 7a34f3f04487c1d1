"""The table of `manage.py alerts`, and below it what to know and to do."""

from __future__ import annotations

from typing import Any

from rich.console import Group

from projections.cli.tables import table, text
from projections.cli.words import ago

Row = dict[str, Any]


def alerts_table(rows: list[Row], *, wide: bool) -> Group:
    """A line for each cause; then the causes one by one, with who was told."""
    columns = ("cause", "severity", "state", "since")
    made = table("Alerts", *columns, whole=columns[:1], wide=wide)
    for row in rows:
        made.add_row(text(row["key"]), row["severity"], row["state"], ago(row["since"]) or "now")
    return Group(made, *(text(_whole(row)) for row in rows))


def _whole(row: Row) -> str:
    since = f"since {row['since']}; " if row["since"] else ""
    return f"\n{row['key']}: {row['summary']}\n{row['details']}\n{since}told: {_told(row)}"


def _told(row: Row) -> str:
    told = [f"{channel} {at}" for channel, at in row["told"].items()]
    failed = [f"{channel} failed {one['count']} times: {one['reason']}" for channel, one in row["failures"].items()]
    return "; ".join([*told, *failed]) or "nobody"
