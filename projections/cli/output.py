"""Where a subcommand's words go: tables and sentences for people, JSON for machines, bars and questions on stderr.

Where stdout is no terminal nothing is folded: a line can be as long as it has to be, for grep and for copying.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from io import StringIO
from typing import Any, TextIO

from django.core.management.base import CommandError
from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn

_COUNTS = (
    "{task.fields[done]:,} done, {task.fields[failed]:,} failed, {task.fields[held]:,} held, "
    "{task.fields[waiting]:,} waiting"
)


#: Columns where stdout is no terminal: more than any line has.
ENDLESS = 1_000_000


class Output:
    """``stdout`` may be Django's wrapper. With ``as_json`` only JSON is written to it, else only people's words.

    ``wide``: stdout is no terminal, so tables have a line for each row.
    """

    def __init__(self, stdout: TextIO, *, as_json: bool) -> None:
        self.as_json = as_json
        self._stdout = stdout
        self.console = Console(file=stdout, highlight=False, quiet=as_json)
        self.wide = not self.console.is_terminal

    def show(self, *things: RenderableType) -> None:
        """Tables, and sentences: square brackets in text are markup only where it is a `rich.text.Text`."""
        if not self.wide:
            _print(self.console, things)
        elif not self.as_json:
            said = StringIO()
            _print(Console(file=said, highlight=False, width=ENDLESS), things)
            # without the spaces that fill a table's last column
            self._stdout.write("\n".join(line.rstrip() for line in said.getvalue().split("\n")))
            self._stdout.flush()

    def emit(self, value: Any) -> None:
        """One line of JSON."""
        if self.as_json:
            self._stdout.write(json.dumps(value) + "\n")
            self._stdout.flush()

    def confirm(self, question: str, *, yes: bool) -> None:
        """Raises CommandError: 2 where nobody can be asked, 1 when the answer is no. ``yes``: does not ask."""
        if yes:
            return
        if not sys.stdin.isatty():
            raise CommandError(f"{question}\nNobody is there to ask: say --yes.", returncode=2)
        sys.stderr.write(f"{question} [y/N] ")
        sys.stderr.flush()
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise CommandError("nothing was done", returncode=1)

    @contextmanager
    def progress(self, what: str, total: int) -> Iterator[Any]:
        """A bar on stderr while somebody watches; yields ``move(done=, failed=, held=, waiting=)``."""
        console = Console(stderr=True)
        columns = (TextColumn("{task.description}"), BarColumn(20), TextColumn(_COUNTS), TimeElapsedColumn())
        with Progress(*columns, console=console, disable=self.as_json or not console.is_terminal) as bars:
            task = bars.add_task(what, total=total, done=0, failed=0, held=0, waiting=total)

            def move(*, done: int, failed: int, held: int, waiting: int) -> None:
                bars.update(task, completed=total - waiting, done=done, failed=failed, held=held, waiting=waiting)

            yield move

    @contextmanager
    def bar(self, what: str) -> Iterator[Callable[[str, int, int], None]]:
        """A bar with rate and time left, while somebody watches; yields ``move(step, done, total)`` (0: unknown)."""
        console = Console(stderr=True)
        columns = (
            TextColumn("{task.description}"),
            BarColumn(20),
            TextColumn("{task.completed:,.0f}"),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, disable=self.as_json or not console.is_terminal) as bars:
            tasks: dict[str, TaskID] = {}

            def move(step: str, done: int, total: int) -> None:
                if step not in tasks:
                    tasks[step] = bars.add_task(f"{what}: {step}", total=total or None, rate="")
                speed = bars.tasks[tasks[step]].speed
                bars.update(tasks[step], completed=done, rate=f"{speed:,.0f}/s" if speed else "")

            yield move


def _print(console: Console, things: Iterable[RenderableType]) -> None:
    for thing in things:
        console.print(thing, markup=False, soft_wrap=isinstance(thing, str))
