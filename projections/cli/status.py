"""`projector status`: who works on what, and what wants somebody to look."""

from __future__ import annotations

import argparse

from projections.cli.choices import projections
from projections.cli.output import Output
from projections.cli.publisher import look_once, publisher_line
from projections.cli.rows import status_rows
from projections.cli.state import states, wants_somebody
from projections.cli.state_tables import status_table
from projections.cli.store import open_store
from projections.cli.subcommand import Options, Subcommand


def _status(options: Options, output: Output) -> int:
    rows = status_rows(open_store(), projections(options["names"]))
    publisher = look_once()
    output.show(status_table(rows, wide=output.wide), *publisher_line(publisher))
    said = [{**row, "states": [state.word for state in states(row)]} for row in rows]
    output.emit({"projections": said, **({"publisher": publisher} if publisher else {})})
    stands_still = publisher is not None and publisher["stands_still"]
    return 1 if stands_still or any(wants_somebody(row) for row in rows) else 0


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help="only these projections (default: all)")


STATUS = Subcommand(
    name="status",
    help="shows workers, lag, pauses, blocked partitions and parked letters of each projection",
    examples="""  manage.py projector status
  manage.py projector status products --json
it ends with 1 when letters are parked, or a partition is blocked, or a worker hangs, or nobody works on a projection
that was run before and is not paused, or the publisher stands still""",
    add_arguments=_arguments,
    run=_status,
)
