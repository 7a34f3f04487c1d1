"""`manage.py projector`: the operator's entry to the projections; what the subcommands do is in `projections.cli`."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from projections.cli import control, dlq, lag, rebuild, resync, run, status, verify
from projections.cli.output import Output
from projections.cli.subcommand import add_subcommands, carry_out

SUBCOMMANDS = (
    run.RUN,
    status.STATUS,
    lag.LAG,
    control.PAUSE,
    control.RESUME,
    control.RESET,
    rebuild.REBUILD,
    resync.RESYNC,
    verify.VERIFY,
    dlq.DLQ,
)
EPILOG = """each subcommand has a help of its own with examples: manage.py projector lag --help

exit codes: 0 done; 1 a finding (parked letters, documents that differ, a rebuild that was not swapped in, a blocked
            partition, a projection that nobody works on, a publisher that stands still, lag over the threshold, a
            request that was refused or not carried out); 2 usage; 3 an engine cannot be reached"""


class Command(BaseCommand):
    help = "Runs the projections, shows their state, lag and dead letters, and tells their workers what to do."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs["formatter_class"] = argparse.RawDescriptionHelpFormatter
        return super().create_parser(prog_name, subcommand, epilog=EPILOG, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        add_subcommands(parser, SUBCOMMANDS)

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            code = carry_out(options["subcommand"], options, Output(self.stdout, as_json=options["json"]))
        except BrokenPipeError:  # whoever read the output has seen enough: `… | head`
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            code = 0
        sys.exit(code)
