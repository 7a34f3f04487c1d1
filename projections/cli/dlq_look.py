"""`projector dlq list`, `show`, `stats`: reading dead letters."""

from __future__ import annotations

import argparse
from typing import Any

from django.core.management.base import CommandError

from projections.cli.arguments import positive, whole
from projections.cli.choices import ALL_NAMES, add_selection, letter_id, projections, selection
from projections.cli.letter_page import letter_page
from projections.cli.letter_tables import letters_table, requests_lines, statistics_table
from projections.cli.open_requests import open_requests
from projections.cli.output import Output
from projections.cli.store import open_store
from projections.cli.subcommand import Options, Subcommand
from projections.cli.words import counted, number
from projections.runtime.letterbox import PARKED, Store, count_letters, find_letters, get_letter, statistics
from projections.runtime.projection import Projection


def _list(options: Options, output: Output) -> int:
    chosen, store = projections(options["names"]), open_store()
    if len(chosen) != 1 and options["aggregate"]:
        raise CommandError("an aggregate is looked for in one projection: name it", returncode=2)
    found = [_letters(store, projection, options) for projection in chosen]
    for row in found:
        if row["letters"]:
            output.show(letters_table(row["letters"], wide=output.wide), _how_many(row, options))
    if not any(row["total"] for row in found):
        output.show(f"no {options['state']} letters")
    output.emit({"projections": found})
    return 1 if options["state"] == PARKED and any(row["total"] for row in found) else 0


def _letters(store: Store, projection: Projection, options: Options) -> dict[str, Any]:
    which = selection(store, projection, options)
    state, name = options["state"], projection.name
    rows = find_letters(store, name, which, state=state, limit=options["limit"], skip=options["skip"])
    return {"projection": name, "total": count_letters(store, name, which, state=state), "letters": rows}


def _how_many(row: dict[str, Any], options: Options) -> str:
    first, last = options["skip"] + 1, options["skip"] + len(row["letters"])
    more = f"; the next: --skip {last}" if last < row["total"] else ""
    shown = f"{number(first)} to {number(last)} of {counted(row['total'], 'letter')}"
    return f"{row['projection']}: {shown}{more}\n"


def _show(options: Options, output: Output) -> int:
    name, text = options["name"], options["letter"] or options["name"]
    if not options["letter"] and "|" not in text:
        raise CommandError("say NAME and LETTER as dlq list shows them, or a letter's whole key", returncode=2)
    projection = projections([name.partition("|")[0]])[0]
    key = letter_id(projection, text)
    letter = get_letter(open_store(), key)
    if letter is None:
        raise CommandError(f"there is no letter {key}: it was applied meanwhile, or never was there", returncode=1)
    output.show(letter_page(letter))
    output.emit(letter)
    return 0


def _stats(options: Options, output: Output) -> int:
    store = open_store()
    names = [projection.name for projection in projections(options["names"])]
    rows, asked = statistics(store, names), open_requests(store, names)
    if rows:
        output.show(statistics_table(rows, wide=output.wide))
    else:
        output.show("no dead letters")
    output.show(*requests_lines(asked))
    output.emit({"fingerprints": rows, "requests": asked})
    return 1 if any(row["letters"] for row in rows) else 0


def _list_arguments(parser: argparse.ArgumentParser) -> None:
    _names(parser)
    add_selection(parser, needed=False, everything=False)
    parser.add_argument("--state", choices=["parked", "discarded"], default="parked", help="(parked)")
    parser.add_argument("--limit", type=positive, default=100, metavar="N", help="letters of each projection (100)")
    parser.add_argument("--skip", type=whole, default=0, metavar="N", help="so many before the first one shown")


def _show_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help=f"of: {ALL_NAMES}")
    parser.add_argument(
        "letter", nargs="?", metavar="LETTER", help="topic/partition/sequence; not needed where NAME is a whole key"
    )


def _names(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {ALL_NAMES} (default: all)")


LIST = Subcommand(
    name="list",
    help="lists the letters of projections in the order of the stream",
    examples="""  manage.py projector dlq list
  manage.py projector dlq list products --fingerprint 3f2a9c10b7de
  manage.py projector dlq list orders --aggregate order:01a20c67-1ca9-7f9a-a360-44cfdb0911f1
  manage.py projector dlq list products --state discarded --json
it ends with 1 when letters are parked""",
    add_arguments=_list_arguments,
    run=_list,
)
SHOW = Subcommand(
    name="show",
    help="shows one letter: event, headers, error, traceback, attempts, times; personal data stay sealed",
    examples="""  manage.py projector dlq show products acme.catalog/3/17
  manage.py projector dlq show 'products|1|acme.catalog|3|17' --json""",
    add_arguments=_show_arguments,
    run=_show,
)
STATS = Subcommand(
    name="stats",
    help="counts the letters by projection and fingerprint, that is by what failed in the same way",
    examples="""  manage.py projector dlq stats
  manage.py projector dlq stats products --json
it ends with 1 when letters are parked""",
    add_arguments=_names,
    run=_stats,
)
