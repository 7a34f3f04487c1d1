"""The tables of `projector lag` and `projector status`, and the lines below them that say why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from projections.cli.pace import Pace
from projections.cli.state import notes, states
from projections.cli.tables import narrow, text
from projections.cli.words import number, short

Row = dict[str, Any]
STAGES = ("not|numbered", "not in|Kafka", "not|projected")
FEW = 5  # stopped aggregates of one projection that `status` names


def lag_table(rows: Iterable[Row], paces: Mapping[str, Pace] | None = None, *, limit: float | None = None) -> Group:
    """Events by stage, a projection a line; with ``paces`` also how fast it goes. Lag over ``limit`` seconds is red."""
    shown = list(rows)
    moving = ("events/s|done in",) if paces is not None else ()
    columns = ("projection", *STAGES, "parked|(oldest)", "behind", *moving, "state")
    table = narrow(
        "Lag: events by stage, and the age of the oldest one not yet applied",
        *columns,
        right=columns[1:-1],
        gap=1 if moving else 2,
    )
    for row in shown:
        over = limit is not None and (row["seconds"] is None or row["seconds"] > limit)
        table.add_row(
            row["projection"],
            *(number(row[stage]) for stage in ("unnumbered", "unacknowledged", "unprojected")),
            _parked(row),
            text(short(row["seconds"]), "bold red" if over else ""),
            *((_pace(paces[row["projection"]]),) if paces is not None else ()),
            _state(row),
        )
    return Group(table, *_below(shown))


def status_table(rows: Iterable[Row]) -> Group:
    """Who works on what, a projection a line; a number of partitions for each worker."""
    shown = list(rows)
    columns = (
        "projection",
        "gen.",
        "applied",
        "waiting",
        "parked|(oldest)",
        "behind",
        "parti-|tions",
        "state",
    )
    table = narrow("Projections", *columns, right=columns[2:6])
    for row in shown:
        partitions = [str(len(worker["partitions"])) for worker in row["workers"]]
        table.add_row(
            row["projection"],
            f"{row['generation']} (v{row['version']})",
            number(row["applied"]),
            number(row["unnumbered"] + row["unacknowledged"] + row["unprojected"]),
            _parked(row),
            short(row["seconds"]),
            " + ".join(partitions) or "none",
            _state(row),
        )
    return Group(table, *_below(shown), *_stopped(shown))


def _parked(row: Row) -> str:
    """How many letters, with the age of the oldest below."""
    letters, age = row.get("parked") or 0, row.get("parked_seconds")
    return f"{number(letters)}\n({short(age)})" if letters and age is not None else number(letters)


def _pace(pace: Pace) -> str:
    """Events a second, and below it the time until all is applied, or what happens instead."""
    rate = "…" if pace.rate is None else f"{pace.rate:,.0f}"
    return f"{rate}\n{short(pace.catch_up) if pace.trend == 'shrinking' else pace.trend}"


def _state(row: Row) -> Text:
    """Every word once, the worst first."""
    words = {state.word: state.style for state in reversed(states(row))}
    return Text("\n").join(Text(word, style=style) for word, style in reversed(words.items()))


def _below(rows: list[Row]) -> list[Text]:
    lines = [line for row in rows for line in notes(row)]
    return [Text(""), *(Text(line) for line in dict.fromkeys(lines))] if lines else []


def _stopped(rows: list[Row]) -> list[Table]:
    """The aggregates at which projections have stopped: the first few of each."""
    found = [(row["projection"], item) for row in rows for item in (row.get("stopped") or [])[:FEW]]
    if not found:
        return []
    table = narrow("\nStopped aggregates: nothing is applied to them from this event on", "aggregate", "event", "error")
    for projection, item in found:
        kind, _, key = item["aggregate"].partition(":")
        event = f"{projection}: {item['event_type'] or 'event'}\n{kind} version {item['first_version']}"
        table.add_row(text(f"{kind}:\n{key}"), text(event), text(item["error"]))
    return [table]
