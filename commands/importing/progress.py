"""Progress bars on stderr while somebody watches; nothing at all when it is not a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

#: Says how far a step has come, in the unit of its total.
Advance = Callable[[int], None]


@contextmanager
def progress(*, quiet: bool = False) -> Iterator[Callable[[str, int], Advance]]:
    """Yields ``start(what, total)``, which shows one more bar and answers the function that moves it."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, disable=quiet or not console.is_terminal) as bars:

        def start(what: str, total: int) -> Advance:
            task = bars.add_task(what, total=total)
            return lambda completed: bars.update(task, completed=completed)

        yield start
