"""What the importers' `manage.py` commands share: arguments, exit codes, summary."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser

from commands.importing.failures import clear_failures
from commands.importing.progress import Advance, progress

EXIT_CODES = """exit codes: 0 everything was imported or was there already; 1 some rows were rejected;
            2 usage, or a file that cannot be read (nothing was imported);
            3 PostgreSQL cannot be reached (a second run goes on from there)"""
Start = Callable[[str, int], Advance]


class ImportCommand(BaseCommand):
    """Base of the importers; a subclass says in `run` what is done and in `sentence` what is said of it."""

    epilog: ClassVar[str]
    default_batch: ClassVar[int] = 100
    batch_help: ClassVar[str]

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        kwargs["formatter_class"] = argparse.RawDescriptionHelpFormatter
        return super().create_parser(prog_name, subcommand, epilog=f"{self.epilog}\n\n{EXIT_CODES}", **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help=".csv, .csv.gz or .csv.xz, UTF-8")
        parser.add_argument("--batch", type=_positive, default=self.default_batch, metavar="N", help=self.batch_help)
        parser.add_argument(
            "--rejects", type=Path, metavar="PATH", help="where rejected rows go (default: FILE.rejected.csv)"
        )
        parser.add_argument("--json", action="store_true", help="the summary as one JSON object, and no progress bar")

    def run(self, file: Path, rejects: Path, *, batch: int, start: Start, options: dict[str, Any]) -> dict[str, Any]:
        """Imports, and answers the summary, which has ``rejected``."""
        raise NotImplementedError

    def sentence(self, summary: dict[str, Any]) -> str:
        """The summary in words."""
        raise NotImplementedError

    def handle(self, *args: Any, **options: Any) -> None:
        file: Path = options["file"]
        rejects: Path = options["rejects"] or file.with_name(f"{file.name}.rejected.csv")
        if rejects.resolve() == file.resolve():
            raise CommandError("--rejects must name another file than FILE", returncode=2)
        with clear_failures(), progress(quiet=options["json"]) as start:
            summary = self.run(file, rejects, batch=options["batch"], start=start, options=options)
        if options["json"]:
            self.stdout.write(json.dumps(summary))
        else:
            self.stdout.write(self.sentence(summary))
            if summary["rejected"]:
                self.stdout.write(f"{summary['rejected']} rows were rejected: see {rejects}")
        if summary["rejected"]:
            sys.exit(1)


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text}: a whole number, at least 1")
    return int(text)
