"""The style of all tables: narrow enough for 80 columns, text of others never taken for markup."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from projections.cli.words import plain


def narrow(title: str, *columns: str, right: tuple[str, ...] = (), gap: int = 2) -> Table:
    """A table without outer lines, ``gap`` spaces between columns; those in ``right`` are numbers.

    A ``|`` in a column's name breaks its line.
    """
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    table.padding = (0, gap - 1, 0, 0)  # and one for the line between columns, which is a space
    table.show_edge = False
    for column in columns:
        heading = column.replace("|", "\n")
        table.add_column(heading, justify="right" if column in right else "left", overflow="fold", vertical="top")
    return table


def text(value: object, style: str = "") -> Text:
    """A cell of text that came from elsewhere."""
    return Text(plain(value), style=style)
