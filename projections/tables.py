"""Tables of `manage.py projector status` and `lag` for a terminal."""

from __future__ import annotations

from typing import Any

from rich.table import Table


def lag_table(rows: list[dict[str, Any]]) -> Table:
    """Lag by stage, a projection a line."""
    table = Table(title="Lag: events by stage, and seconds since the oldest event not yet applied was recorded")
    table.add_column("projection")
    for column in ("not numbered", "not in Kafka", "not projected", "stopped aggregates", "seconds"):
        table.add_column(column, justify="right")
    for row in rows:
        seconds = "unknown" if row["seconds"] is None else f"{row['seconds']:.3f}"
        stages = (row["unnumbered"], row["unacknowledged"], row["unprojected"], row["stopped_aggregates"])
        table.add_row(row["projection"], *(str(number) for number in stages), seconds)
    return table


def status_table(rows: list[dict[str, Any]]) -> Table:
    """Who works on what, a projection a line; a number of partitions for each worker."""
    table = Table(title="Projections")
    for column in ("projection", "gen.", "applied", "waiting", "seconds", "partitions", "state"):
        table.add_column(column, justify="right" if column in {"applied", "waiting", "seconds"} else "left")
    for row in rows:
        waiting = row["unnumbered"] + row["unacknowledged"] + row["unprojected"]
        seconds = "unknown" if row["seconds"] is None else f"{row['seconds']:.3f}"
        partitions = [str(len(worker["partitions"])) for worker in row["workers"]]
        table.add_row(
            row["projection"],
            f"{row['generation']} (v{row['version']})",
            str(row["applied"]),
            str(waiting),
            seconds,
            " + ".join(partitions) or "none",
            _state(row),
        )
    return table


def _state(row: dict[str, Any]) -> str:
    parts = sorted({worker["state"] for worker in row["workers"]}) or ["not running"]
    parts.extend(worker["detail"] for worker in row["workers"] if worker["detail"])
    if row["rebuild_due"]:
        parts.append("rebuild due: its code has another version")
    if row["stopped"]:
        parts.append(f"{len(row['stopped'])} stopped aggregates")
    return "; ".join(parts)


def stopped_table(rows: list[dict[str, Any]]) -> Table:
    """Every aggregate at which a projection has stopped."""
    table = Table(title="Stopped aggregates: nothing is applied to them from this event on; a restart tries again")
    for column in ("projection", "aggregate", "from version", "event", "error", "attempts", "since"):
        table.add_column(column, overflow="fold")
    for row in rows:
        for item in row["stopped"]:
            table.add_row(
                row["projection"],
                item["aggregate"],
                str(item["first_version"]),
                item["event_type"],
                item["error"],
                str(item["attempts"]),
                item["first_at"],
            )
    return table
