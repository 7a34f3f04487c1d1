"""`projector resync`: one aggregate's part of a read model is made anew from the log."""

from __future__ import annotations

import argparse

from projections.cli.choices import ALL_NAMES, aggregate, projections
from projections.cli.follow import add_waiting, follow
from projections.cli.output import Output
from projections.cli.store import open_store
from projections.cli.subcommand import Options, Subcommand
from projections.runtime.requests import ask_resync


def _resync(options: Options, output: Output) -> int:
    projection = projections([options["name"]])[0]
    store = open_store()
    name = aggregate(store, projection, options["aggregate"])
    asked = ask_resync(store, projection, name, by=options["by"])
    outcome = follow(store, projection, asked, options, output)
    output.show(f"{name} in {projection.name}: {outcome.words}")
    output.emit({"projection": projection.name, "aggregate": name, "request": outcome.plain})
    return outcome.code


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help=f"of: {ALL_NAMES}")
    parser.add_argument("aggregate", metavar="AGGREGATE_ID", help="type:id, or the id where its type can be told")
    add_waiting(parser)


RESYNC = Subcommand(
    name="resync",
    help="makes one aggregate's part of a read model anew from the log; also after events of it were discarded",
    examples="""  manage.py projector resync products product:01a20c66-857c-7221-8028-3caef1fc6d98
  manage.py projector resync orders 01a20c67-1ca9-7f9a-a360-44cfdb0911f1 --json""",
    add_arguments=_arguments,
    run=_resync,
    seconds=None,
)
