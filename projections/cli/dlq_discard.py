"""`projector dlq discard`: events are passed over for good, and their aggregates marked as gapped."""

from __future__ import annotations

import argparse

from projections.cli.arguments import filled
from projections.cli.choices import ALL_NAMES, add_selection, projections, selection
from projections.cli.follow import add_waiting, follow
from projections.cli.output import Output
from projections.cli.store import open_store
from projections.cli.subcommand import Options, Subcommand
from projections.cli.words import counted
from projections.runtime.letterbox import count_letters
from projections.runtime.requests import ask_discard


def _discard(options: Options, output: Output) -> int:
    projection, store = projections([options["name"]])[0], open_store()
    which = selection(store, projection, options)
    total = count_letters(store, projection.name, which)
    if total:
        output.confirm(
            f"Discard {counted(total, 'letter')} of {projection.name} ({which})? Their events are passed over for "
            "good: the documents stay wrong until a resync.",
            yes=options["yes"],
        )
    asked = ask_discard(store, projection.name, which, by=options["by"], reason=options["reason"])
    output.show(f"{counted(asked.total, 'letter')} parked until now; later ones are not touched")
    outcome = follow(store, projection, asked, options, output)
    output.show(f"{projection.name}: {outcome.words}")
    if outcome.progress.done:
        output.show(f"then, for each aggregate: manage.py projector resync {projection.name} AGGREGATE_ID")
    output.emit({"projection": projection.name, "selection": str(which), "request": outcome.plain})
    return outcome.code


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help=f"of: {ALL_NAMES}")
    add_selection(parser, needed=True, everything=True)
    parser.add_argument("--reason", type=filled, required=True, help="kept with the letters")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    add_waiting(parser)


DISCARD = Subcommand(
    name="discard",
    help="DESTRUCTIVE: has the workers pass parked events over for good; asks first",
    examples="""  manage.py projector dlq discard products --letter acme.catalog/3/17 --reason "a test product"
  manage.py projector dlq discard products --aggregate product:01a20c66-857c-7221-8028-3caef1fc6d98 \\
      --reason "made by a faulty import" --yes
afterwards the aggregates are gapped until: manage.py projector resync NAME AGGREGATE_ID""",
    add_arguments=_arguments,
    run=_discard,
    seconds=None,
)
