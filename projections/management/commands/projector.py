"""`manage.py projector run|status|lag`: the operator's entry to the projections."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from pymongo.errors import PyMongoError
from rich.console import Console

from acme.env import env
from projections import metrics, tables
from projections.registry import PROJECTIONS
from projections.runtime import report
from projections.runtime.failures import ENGINE_FAILURES
from projections.runtime.projection import Projection
from projections.runtime.runner import run_projections
from queries.documents.connection import database

EPILOG = """examples:
  manage.py projector run --all            work on every projection until SIGTERM
  manage.py projector run orders --once    bring one projection up to date and end
  manage.py projector status               who works on what, and which aggregates are stopped
  manage.py projector lag --json           lag by stage, for machines

exit codes: 0 done; 1 a finding (stopped aggregates, lag over the threshold or unknown); 2 usage;
            3 an engine cannot be reached"""


class Command(BaseCommand):
    help = "Runs the projections, and shows their state and lag."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs["formatter_class"] = argparse.RawDescriptionHelpFormatter
        return super().create_parser(prog_name, subcommand, epilog=EPILOG, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True, metavar="run|status|lag")
        run = actions.add_parser("run", help="work on projections until SIGTERM or Ctrl-C")
        run.add_argument("names", nargs="*", metavar="NAME", help=f"of: {', '.join(PROJECTIONS)}")
        run.add_argument("--all", action="store_true", help="work on every projection")
        run.add_argument("--once", action="store_true", help="end when the stream heads seen at the start are reached")
        status = actions.add_parser("status", help="workers, lag and stopped aggregates of each projection")
        lag = actions.add_parser("lag", help="lag by stage of each projection")
        lag.add_argument("--threshold", type=float, metavar="SECONDS", help="exit with 1 when any lag is longer")
        for shown in (status, lag):
            shown.add_argument("names", nargs="*", metavar="NAME", help="only these projections (default: all)")
            shown.add_argument("--json", action="store_true", help="for machines")

    def handle(self, *args: Any, **options: Any) -> None:
        action = {"run": self._run, "status": self._status, "lag": self._lag}[options["action"]]
        try:
            code = action(options)
        except PyMongoError as error:
            raise CommandError(f"MongoDB cannot be reached: {error}", returncode=3) from error
        except ENGINE_FAILURES as error:
            raise CommandError(f"an engine cannot be reached: {error}", returncode=3) from error
        sys.exit(code)

    def _run(self, options: dict[str, Any]) -> int:
        if bool(options["names"]) == options["all"]:
            raise CommandError("either name the projections to run, or say --all", returncode=2)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        env.require("database_url")
        env.require("mongodb_url")
        chosen = _chosen(options["names"])
        metrics.expose_projector(projection.name for projection in chosen)
        done = run_projections(chosen, env.require("kafka_bootstrap_servers"), stop, once=options["once"])
        return 0 if done else 1

    def _status(self, options: dict[str, Any]) -> int:
        rows = report.status_rows(database(), _chosen(options["names"]))
        stopped = any(row["stopped"] for row in rows)
        if options["json"]:
            self.stdout.write(json.dumps({"projections": rows}))
        else:
            console = Console(file=self.stdout)
            console.print(tables.status_table(rows))
            if stopped:
                console.print(tables.stopped_table(rows))
        return 1 if stopped else 0

    def _lag(self, options: dict[str, Any]) -> int:
        rows = report.lag_rows(_chosen(options["names"]))
        if options["json"]:
            self.stdout.write(json.dumps({"projections": rows}))
        else:
            Console(file=self.stdout).print(tables.lag_table(rows))
        threshold = options["threshold"]
        over = [row for row in rows if threshold is not None and (row["seconds"] is None or row["seconds"] > threshold)]
        return 1 if over else 0


def _chosen(names: list[str]) -> list[Projection]:
    unknown = sorted(set(names) - set(PROJECTIONS))
    if unknown:
        raise CommandError(f"no projection {', '.join(unknown)}; there are {', '.join(PROJECTIONS)}", returncode=2)
    return [PROJECTIONS[name] for name in names or PROJECTIONS]
