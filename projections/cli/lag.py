"""`projector lag`: how far the projections are behind, once or as a live table."""

from __future__ import annotations

import argparse

import pymongo

from projections.cli.arguments import positive_seconds, seconds
from projections.cli.choices import projections
from projections.cli.output import Output
from projections.cli.publisher import look_once, publisher_line
from projections.cli.rows import status_rows
from projections.cli.state_tables import lag_table
from projections.cli.store import open_store
from projections.cli.subcommand import Options, Subcommand
from projections.cli.watch import watch
from projections.runtime import report

SECONDS = 30.0  # that MongoDB may take


def _lag(options: Options, output: Output) -> int:
    chosen, limit = projections(options["names"]), options["threshold"]
    if options["watch"]:
        return watch(chosen, output, interval=options["interval"], limit=limit)
    with pymongo.timeout(SECONDS):
        rows = report.lag_rows(chosen) if output.as_json else status_rows(open_store(), chosen)
    publisher = look_once()
    if not output.as_json:
        output.show(lag_table(rows, limit=limit, wide=output.wide), *publisher_line(publisher))
    output.emit({"projections": rows, **({"publisher": publisher} if publisher else {})})
    over = limit is not None and any(row["seconds"] is None or row["seconds"] > limit for row in rows)
    return 1 if over else 0


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these projections (default: all)")
    parser.add_argument("--watch", action="store_true", help="look again and again, with rate and time to catch up")
    parser.add_argument(
        "--interval", type=positive_seconds, default=2.0, metavar="S", help="with --watch: seconds between looks (2)"
    )
    parser.add_argument(
        "--threshold",
        type=seconds,
        metavar="S",
        help="end with 1 when any lag is longer or unknown; with --watch it is only shown in red",
    )


LAG = Subcommand(
    name="lag",
    help="shows the lag of each projection by stage: not numbered, not in Kafka, not projected, parked",
    examples="""  manage.py projector lag
  manage.py projector lag orders products --threshold 5 --json
  manage.py projector lag --watch --interval 1     a live table until Ctrl-C
  manage.py projector lag --watch --json           one JSON object a line for every look""",
    add_arguments=_arguments,
    run=_lag,
    seconds=None,
)
