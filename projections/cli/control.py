"""`projector pause`, `resume`, `reset`: what all workers of a projection are told, wherever they run."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

from acme.contracts.envelope import time_text
from projections.cli.arguments import filled
from projections.cli.choices import ALL_NAMES, projections, some_or_all
from projections.cli.output import Output
from projections.cli.rows import status_rows
from projections.cli.store import open_store
from projections.cli.subcommand import Options, Subcommand
from projections.cli.words import ago, counted, number, operator, plain
from projections.runtime import control
from projections.runtime.letterbox import Selection, Store, count_letters
from projections.runtime.projection import Projection


def _pause(options: Options, output: Output) -> int:
    def tell(store: Store, projection: Projection) -> str:
        before = control.pause(store, projection.name, by=options["by"], reason=options["reason"])
        if before is None:
            return f"{projection.name} is paused: its workers finish their batch and apply nothing more"
        at = time_text(before["at"])
        since = f"{projection.name} is paused already by {plain(before['by'])} since {at} ({ago(at)})"
        reason = f": {plain(before['reason'])}" if before["reason"] else ""
        return f"{since}{reason}. That stays; to say something else, resume it first"

    return _each(options, output, "pause", tell, paused=True)


def _resume(options: Options, output: Output) -> int:
    def tell(store: Store, projection: Projection) -> str:
        paused = control.read_orders(store, projection.name).paused
        control.resume(store, projection.name)
        return f"{projection.name} goes on" if paused else f"{projection.name} was not paused"

    return _each(options, output, "resume", tell, paused=False)


def _each(
    options: Options, output: Output, verb: str, tell: Callable[[Store, Projection], str], *, paused: bool
) -> int:
    """Tells one after the other; one that cannot be told keeps nobody from the others."""
    chosen = some_or_all(options["names"], options["all"], verb)
    store = open_store()
    rows: list[dict[str, Any]] = []
    for projection in chosen:
        try:
            said = tell(store, projection)
            rows.append({"projection": projection.name, "paused": paused, "error": None})
        except control.NotDone as error:
            said = str(error)
            rows.append({"projection": projection.name, "paused": None, "error": said})
        output.show(said)
    output.emit({"projections": rows})
    return 1 if any(row["error"] for row in rows) else 0


def _reset(options: Options, output: Output) -> int:
    projection = projections([options["name"]])[0]
    store = open_store()
    (row,) = status_rows(store, [projection])
    letters = count_letters(store, projection.name, Selection(everything=True))
    output.confirm(
        f"Reset {projection.name}? An empty generation goes live at once: until it is filled, queries find little or "
        f"nothing. The {number(row['applied'])} events of generation {row['generation']} are applied again from the "
        f"beginning; {counted(letters, 'parked letter')} of it will be left behind; generations before it are dropped. "
        "What was discarded before is tried again as well, and parked again if it still fails.",
        yes=options["yes"],
    )
    generation = control.reset(store, projection, by=options["by"])
    output.show(f"{projection.name}: generation {generation} is live and empty; its workers fill it from the beginning")
    if not row["workers"]:
        output.show(f"nobody works on it: manage.py projector run {projection.name}")
    output.emit({"projection": projection.name, "generation": generation, "previous": row["generation"]})
    return 0


def _names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {ALL_NAMES}")
    parser.add_argument("--all", action="store_true", help="every projection")


def _pause_arguments(parser: argparse.ArgumentParser) -> None:
    _names(parser)
    parser.add_argument("--reason", default="", help="shown by status, to whoever wonders")
    add_by(parser)


def _reset_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help=f"of: {ALL_NAMES}")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_by(parser)


def add_by(parser: argparse.ArgumentParser) -> None:
    """``--by``, with a default that says who it is."""
    parser.add_argument("--by", type=filled, default=operator(), help="who asks (default: your user and host)")


PAUSE = Subcommand(
    name="pause",
    help="lets the workers of projections rest, within a second; lag is still told",
    examples="""  manage.py projector pause products --reason "index is being built"
  manage.py projector pause --all
one that is paused already stays so, with who, when and why as it was said first""",
    add_arguments=_pause_arguments,
    run=_pause,
)
RESUME = Subcommand(
    name="resume",
    help="lets paused projections go on from their checkpoints",
    examples="  manage.py projector resume products",
    add_arguments=_names,
    run=_resume,
)
RESET = Subcommand(
    name="reset",
    help="DESTRUCTIVE: begins a projection anew with an empty generation; asks first",
    examples="""  manage.py projector reset sales_by_day
  manage.py projector reset sales_by_day --yes --json""",
    add_arguments=_reset_arguments,
    run=_reset,
    seconds=300.0,
)
