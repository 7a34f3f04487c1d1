"""What people see of a running shop: a live table on a terminal, plain lines anywhere else."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table

from acme.devstack.supervisor import State, Supervised

REFRESH = 0.5  # seconds
COLOURS = {State.RUNNING: "green", State.STARTING: "yellow", State.WAITING: "yellow", State.STOPPED: "red"}


class Display:
    """A context manager; `say` may be called at any time, `show` does something on a terminal only."""

    def __init__(self, *, live: bool | None = None, write: Callable[[str], None] | None = None) -> None:
        """`live`: by default, on a terminal. `write`: takes the lines instead of standard output."""
        self.live = sys.stdout.isatty() if live is None else live
        self._write = write or _print
        self._console = Console(highlight=False, soft_wrap=True)
        self._stack = ExitStack()
        self._area: Live | None = None
        self._shown = 0.0

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def say(self, line: str) -> None:
        """One line, at once, above the table when there is one."""
        if self._area is not None:
            self._console.print(line, markup=False)
        else:
            self._write(line)

    def show(self, processes: Iterable[Supervised], given: Mapping[str, str], lag: str) -> None:
        """Draws the table anew. `given`: engine variables of the environment; `lag`: in words."""
        if not self.live or time.monotonic() - self._shown < REFRESH:
            return
        self._shown = time.monotonic()
        if self._area is None:
            # Transient: what is left on the screen at the end must not say that anything runs.
            self._area = self._stack.enter_context(Live(console=self._console, auto_refresh=False, transient=True))
        self._area.update(status_table(processes, given, lag), refresh=True)


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def status_table(processes: Iterable[Supervised], given: Mapping[str, str], lag: str) -> Table:
    """One row per process, engines first, and the lag of the projections below."""
    table = Table(caption=f"lag: {lag} · Ctrl-C stops everything", caption_justify="left")
    for column in ("process", "what", "port", "pid", "state", "restarts"):
        table.add_column(column, justify="right" if column in {"port", "pid", "restarts"} else "left")
    for variable in given:
        table.add_row(variable, "from the environment", "", "", "not ours", "")
    for one in processes:
        program = one.service.program
        state = f"[{COLOURS[one.state]}]{one.state}[/]"
        pid = str(one.process.pid) if one.process.alive else ""
        table.add_row(one.name, one.service.where, str(program.port or ""), pid, state, str(one.restarts))
    return table
