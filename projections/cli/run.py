"""`projector run`: the daemon, and `--once`."""

from __future__ import annotations

import argparse
import signal
import threading

from acme.collector import tune_collector
from acme.env import env
from projections import metrics
from projections.cli.choices import ALL_NAMES, some_or_all
from projections.cli.output import Output
from projections.cli.subcommand import Options, Subcommand
from projections.runtime.runner import run_projections


def _arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of: {ALL_NAMES}")
    parser.add_argument("--all", action="store_true", help="work on every projection")
    parser.add_argument("--once", action="store_true", help="end when the stream heads seen at the start are reached")


def _run(options: Options, output: Output) -> int:
    chosen = some_or_all(options["names"], options["all"], "run")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    env.require("database_url")
    env.require("mongodb_url")
    tune_collector()
    metrics.expose_projector(projection.name for projection in chosen)
    done = run_projections(chosen, env.require("kafka_bootstrap_servers"), stop, once=options["once"])
    output.emit({"projections": [projection.name for projection in chosen], "done": done})
    return 0 if done else 1


RUN = Subcommand(
    name="run",
    help="works on projections until SIGTERM or Ctrl-C; then it finishes its batch and leaves",
    examples="""  manage.py projector run --all            work on every projection
  manage.py projector run orders --once    bring one projection up to date and end""",
    add_arguments=_arguments,
    run=_run,
    seconds=None,
)
