"""Every subcommand explains itself: help with examples that are right, and `--json`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import pytest

from projections.cli.subcommand import Group, Subcommand
from projections.management.commands.projector import SUBCOMMANDS, Command


def every() -> Iterator[tuple[str, Subcommand]]:
    for member in SUBCOMMANDS:
        if isinstance(member, Group):
            yield from ((f"{member.name} {inner.name}", inner) for inner in member.members)
        else:
            yield member.name, member


def examples(subcommand: Subcommand) -> list[list[str]]:
    """The words after `manage.py projector`, without what some lines say about them."""
    lines = re.sub(r"\\\n +", "", subcommand.examples).splitlines()
    commands = [re.split(r" {3,}", line.strip())[0] for line in lines if "manage.py projector" in line]
    return [shlex.split(command)[2:] for command in commands if command.startswith("manage.py")]


EVERY = list(every())


@pytest.mark.parametrize(("words", "subcommand"), EVERY, ids=[words for words, _ in EVERY])
def test_examples_can_be_typed(words: str, subcommand: Subcommand) -> None:
    typed = examples(subcommand)
    assert typed
    parser = Command().create_parser("manage.py", "projector")
    for arguments in typed:
        assert arguments[: len(words.split())] == words.split()
        options = parser.parse_args(arguments)
        assert options.subcommand is subcommand and isinstance(options.json, bool)


def test_all_are_there() -> None:
    dlq = {f"dlq {name}" for name in ("list", "show", "retry", "discard", "stats")}
    assert {words for words, _ in EVERY} == {
        "run",
        "status",
        "lag",
        "pause",
        "resume",
        "reset",
        "rebuild",
        "resync",
        "verify",
    } | dlq
