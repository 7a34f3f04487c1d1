"""`projector dlq retry`: a dry run, one letter first, then the rest that was parked at the start."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import CommandError

from acme.ports import subject_keys
from projections.cli.arguments import positive
from projections.cli.choices import ALL_NAMES, add_selection, projections, selection
from projections.cli.follow import Outcome, add_waiting, follow
from projections.cli.letter_tables import dry_run_table
from projections.cli.output import Output
from projections.cli.store import open_store
from projections.cli.subcommand import Options, Subcommand
from projections.cli.words import counted
from projections.runtime.dry_run import DryRun, dry_run
from projections.runtime.letterbox import LETTERS, Selection, Store, count_letters
from projections.runtime.projection import Projection
from projections.runtime.requests import ask_canary, ask_retry


def _retry(options: Options, output: Output) -> int:
    projection, store = projections([options["name"]])[0], open_store()
    which = selection(store, projection, options)
    if options["dry_run"]:
        return _dry_run(store, projection, which, options, output)
    total = count_letters(store, projection.name, which)
    canary = total > 1 and not options["no_canary"]
    if canary and options["no_wait"]:
        raise CommandError("--no-wait cannot wait for a canary: say --no-canary as well", returncode=2)
    # Only where time passes until they are marked: workers' clocks may be ahead of this one.
    cut_off = datetime.now(UTC) if canary or (options["all"] and not options["yes"]) else None
    if options["all"] and total:
        question = f"Retry {'the only letter' if total == 1 else f'all {total:,} letters'} of {projection.name}?"
        output.confirm(question, yes=options["yes"])
    if total:
        output.show(f"{counted(total, 'letter')} parked until now; later ones are not touched")
    first = _canary(store, projection, which, options, output) if canary else None
    if first is not None and first.code:
        code = _finish(output, projection, which, first, first)
        output.show(*_one_kind(store, projection, which))
        return code
    asked = ask_retry(store, projection.name, which, by=options["by"], parked_until=cut_off)
    return _finish(output, projection, which, first, follow(store, projection, asked, options, output))


def _canary(store: Store, projection: Projection, which: Selection, options: Options, output: Output) -> Outcome:
    """The first letter of them that failed itself, alone."""
    asked = ask_canary(store, projection.name, which, by=options["by"])
    output.show("first one of them as a canary")
    return follow(store, projection, asked, options, output)


def _finish(output: Output, projection: Projection, which: Selection, first: Outcome | None, last: Outcome) -> int:
    """Says what it came to. ``first`` is the canary; when it is the last as well, nothing more was asked."""
    stopped = first is last
    words = last.words
    if stopped:
        words = f"the canary was not applied, nothing more is asked: {words}"
    elif first is not None:
        letters = first.progress.total + last.progress.total
        words = f"the canary was applied, the first of {counted(letters, 'letter')}; then {words}"
    output.show(f"{projection.name}: {words}", *last.again)
    output.emit(
        {
            "projection": projection.name,
            "selection": str(which),
            "canary": first.plain if first else None,
            "request": None if stopped else last.plain,
            "words": words,
        }
    )
    return last.code


def _one_kind(store: Store, projection: Projection, which: Selection) -> list[str]:
    """Where many kinds were meant, one that still fails says nothing of the others."""
    kinds = len(store[LETTERS].distinct("fingerprint", which.filter(store, projection.name))) if which.everything else 0
    if kinds < 2:
        return []
    return [
        f"these letters failed in {kinds:,} ways, the canary in one of them: --fingerprint F retries one kind, see",
        f"  manage.py projector dlq stats {projection.name}",
    ]


def _dry_run(store: Store, projection: Projection, which: Selection, options: Options, output: Output) -> int:
    rows = dry_run(store, projection, subject_keys().unseal, which, limit=options["limit"])
    total = count_letters(store, projection.name, which)
    if rows:
        output.show(dry_run_table(rows, wide=output.wide))
    else:
        output.show(f"no parked letters of {projection.name} ({which})")
    if total > len(rows):
        output.show(f"{len(rows):,} of {total:,} letters were tried: --limit N for more")
    output.emit({"projection": projection.name, "total": total, "letters": [_plain(row) for row in rows]})
    return 0 if rows and all(row.ok for row in rows) else 1


def _plain(row: DryRun) -> dict[str, Any]:
    """Of what would change only the documents' ids: what stands in them may be personal, and was opened for the try."""
    return {
        "letter": row.letter,
        "aggregate": row.aggregate,
        "ok": row.ok,
        "error": row.error or None,
        "documents": sorted(row.changed),
    }


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help=f"of: {ALL_NAMES}")
    add_selection(parser, needed=True, everything=True)
    parser.add_argument("--dry-run", action="store_true", help="try it on copies in memory; nothing is written")
    parser.add_argument("--limit", type=positive, default=1000, metavar="N", help="letters of a dry run (1000)")
    parser.add_argument("--no-canary", action="store_true", help="of many letters, do not try a single one first")
    parser.add_argument("--yes", action="store_true", help="with --all: do not ask")
    add_waiting(parser)


RETRY = Subcommand(
    name="retry",
    help="has the workers apply parked letters again, in order; of many letters one goes first",
    examples="""  manage.py projector dlq retry products --fingerprint 3f2a9c10b7de --dry-run
  manage.py projector dlq retry products --fingerprint 3f2a9c10b7de
  manage.py projector dlq retry products --letter acme.catalog/3/17
  manage.py projector dlq retry products --all --no-canary --no-wait --yes
what is parked when it is asked is retried, later letters are not; it ends with 1 unless all were applied""",
    add_arguments=_arguments,
    run=_retry,
    seconds=None,
)
