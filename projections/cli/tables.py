"""The style of all tables: 80 columns are enough at a terminal, a row is one line elsewhere, ids are never broken.

Text of others is never taken for markup.
"""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from projections.cli.words import plain


def table(
    title: str, *columns: str, right: tuple[str, ...] = (), whole: tuple[str, ...] = (), gap: int = 2, wide: bool
) -> Table:
    """A table without outer lines, ``gap`` spaces between columns; those in ``right`` are numbers, in ``whole`` ids.

    A ``|`` in a column's name breaks its line. ``wide``: no terminal (`Output.wide`); whoever reads it may be grep.
    """
    made = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    made.padding = (0, gap - 1, 0, 0)  # and one for the line between columns, which is a space
    made.show_edge = False
    for column in columns:
        heading = column.replace("-|", "").replace("|", " ") if wide else column.replace("|", "\n")
        made.add_column(
            heading,
            justify="right" if column in right else "left",
            overflow="fold",
            vertical="top",
            no_wrap=wide or column in whole,
        )
    return made


def text(value: object, style: str = "") -> Text:
    """A cell of text that came from elsewhere."""
    return Text(plain(value), style=style)


def lines(*parts: object, wide: bool) -> str:
    """The parts of one cell that are not empty: below each other; ``wide``: all on one line, also those of several."""
    shown = [str(part) for part in parts if part]
    return "  ".join(" ".join(part.split()) for part in shown) if wide else "\n".join(shown)
