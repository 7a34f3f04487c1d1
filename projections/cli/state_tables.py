"""The tables of `projector lag` and `projector status`, and the lines below them that say why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from projections.cli.pace import Pace
from projections.cli.state import notes, states
from projections.cli.tables import lines, table, text
from projections.cli.words import number, short

Row = dict[str, Any]
STAGES = ("not|numbered", "not in|Kafka", "not|projected")
FEW = 5  # stopped aggregates of one projection that `status` names


def lag_table(
    rows: Iterable[Row], paces: Mapping[str, Pace] | None = None, *, limit: float | None = None, wide: bool
) -> Group:
    """Events by stage, a projection a line; with ``paces`` also how fast it goes. Lag over ``limit`` seconds is red."""
    shown = list(rows)
    moving = ("events/s|done in",) if paces is not None else ()
    columns = ("projection", *STAGES, "parked|(oldest)", "behind", *moving, "state")
    made = table(
        "Lag: events by stage, and the age of the oldest one not yet applied",
        *columns,
        right=columns[1:-1],
        whole=columns[:1],
        gap=1 if moving else 2,
        wide=wide,
    )
    for row in shown:
        over = limit is not None and (row["seconds"] is None or row["seconds"] > limit)
        made.add_row(
            row["projection"],
            *(number(row[stage]) for stage in ("unnumbered", "unacknowledged", "unprojected")),
            _parked(row, wide=wide),
            text(short(row["seconds"]), "bold red" if over else ""),
            *((_pace(paces[row["projection"]], wide=wide),) if paces is not None else ()),
            _state(row, wide=wide),
        )
    return Group(made, *_below(shown))


def status_table(rows: Iterable[Row], *, wide: bool) -> Group:
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
    made = table("Projections", *columns, right=columns[2:6], whole=columns[:1], wide=wide)
    for row in shown:
        partitions = [str(len(worker["partitions"])) for worker in row["workers"]]
        made.add_row(
            row["projection"],
            f"{row['generation']} (v{row['version']})",
            number(row["applied"]),
            number(row["unnumbered"] + row["unacknowledged"] + row["unprojected"]),
            _parked(row, wide=wide),
            short(row["seconds"]),
            " + ".join(partitions) or "none",
            _state(row, wide=wide),
        )
    return Group(made, *_below(shown), *_stopped(shown, wide=wide))


def _parked(row: Row, *, wide: bool) -> str:
    """How many letters, with the age of the oldest below."""
    letters, age = row.get("parked") or 0, row.get("parked_seconds")
    return lines(number(letters), f"({short(age)})" if letters and age is not None else "", wide=wide)


def _pace(pace: Pace, *, wide: bool) -> str:
    """Events a second, and below it the time until all is applied, or what happens instead."""
    rate = "…" if pace.rate is None else f"{pace.rate:,.0f}"
    return lines(rate, short(pace.catch_up) if pace.trend == "shrinking" else pace.trend, wide=wide)


def _state(row: Row, *, wide: bool) -> Text:
    """Every word once, the worst first."""
    words = {state.word: state.style for state in reversed(states(row))}
    return Text(", " if wide else "\n").join(Text(word, style=style) for word, style in reversed(words.items()))


def _below(rows: list[Row]) -> list[Text]:
    lines = [line for row in rows for line in notes(row)]
    return [Text(""), *(Text(line) for line in dict.fromkeys(lines))] if lines else []


def _stopped(rows: list[Row], *, wide: bool) -> list[Table]:
    """The aggregates at which projections have stopped: the first few of each."""
    found = [(row["projection"], item) for row in rows for item in (row.get("stopped") or [])[:FEW]]
    if not found:
        return []
    columns = ("aggregate and event", "error")
    title = "\nStopped aggregates: nothing is applied to them from this event on"
    made = table(title, *columns, whole=columns[:1], wide=wide)
    for projection, item in found:
        event = f"{projection}: {item['event_type'] or 'event'}, version {item['first_version']}"
        made.add_row(text(lines(item["aggregate"], event, wide=wide)), text(lines(item["error"], wide=wide)))
    return [made]
