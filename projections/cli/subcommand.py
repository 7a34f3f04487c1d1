"""What a subcommand is, how it gets into the parser, and what becomes of its errors."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import pymongo
from django.core.management.base import CommandError
from pymongo.errors import PyMongoError

from projections.cli.output import Output
from projections.cli.words import one_line
from projections.runtime.control import NotDone
from projections.runtime.failures import ENGINE_FAILURES
from projections.runtime.requests import Refused

Options = dict[str, Any]
FINDING, USAGE, UNREACHABLE = 1, 2, 3


@dataclass(frozen=True, kw_only=True)
class Subcommand:
    """``run`` answers the exit code. ``seconds``: how long MongoDB may take for all of it; None where it goes on."""

    name: str
    help: str
    examples: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[Options, Output], int]
    seconds: float | None = 30.0


@dataclass(frozen=True, kw_only=True)
class Group:
    """Subcommands under a common word."""

    name: str
    help: str
    members: tuple[Subcommand, ...]


def add_subcommands(parser: argparse.ArgumentParser, members: Iterable[Subcommand | Group]) -> None:
    """One parser for each; the chosen one is in the options as ``subcommand``."""
    known = tuple(members)
    names = "|".join(member.name for member in known)
    parsers = parser.add_subparsers(required=True, metavar=names, dest=f"{parser.prog} …")
    for member in known:
        made = parsers.add_parser(
            member.name,
            help=member.help,
            description=f"{member.help[0].upper()}{member.help[1:]}.",
            epilog=f"examples:\n{member.examples}" if isinstance(member, Subcommand) else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        if isinstance(member, Group):
            add_subcommands(made, member.members)
            continue
        member.add_arguments(made)
        made.add_argument("--json", action="store_true", help="one JSON object for machines")
        made.set_defaults(subcommand=member)


def carry_out(subcommand: Subcommand, options: Options, output: Output) -> int:
    """The exit code; raises CommandError with one. With ``--json`` its message is printed as ``{"error": …}`` too."""
    try:
        return _run(subcommand, options, output)
    except CommandError as error:
        output.emit({"error": str(error)})
        raise


def _run(subcommand: Subcommand, options: Options, output: Output) -> int:
    limit = pymongo.timeout(subcommand.seconds) if subcommand.seconds else nullcontext()
    try:
        with limit:
            return subcommand.run(options, output)
    except (Refused, NotDone) as error:
        raise CommandError(str(error), returncode=FINDING) from error
    except PyMongoError as error:
        raise CommandError(f"MongoDB cannot be reached: {one_line(error)}", returncode=UNREACHABLE) from error
    except ENGINE_FAILURES as error:
        raise CommandError(f"an engine cannot be reached: {one_line(error)}", returncode=UNREACHABLE) from error
