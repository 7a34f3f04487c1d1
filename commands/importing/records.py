"""CSV records out of physical lines, so that one broken quote costs its own line and not the rest of the file.

A record is one line. Where a quote stays open, the following lines are taken along as long as that gives a whole record
with the right number of columns; otherwise only the line with the broken quote is refused.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from commands.importing.source import FileProblem, Line

#: How many physical lines one record may have.
MOST_LINES = 100
_OPEN_QUOTE = "a quote is opened and not closed"


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """``line``: where it begins, from 1. ``fields``: as the columns, or whatever could be read when there is a
    ``problem``."""

    line: int
    fields: list[str]
    problem: str | None = None


class Records:
    """A CSV file with a header line; iterate over its records once. Blank lines are nothing and are skipped."""

    def __init__(self, lines: Iterable[Line]) -> None:
        """Reads the header. Raises `FileProblem` when there is none."""
        self._lines = iter(lines)
        self._pending: deque[Line] = deque()
        first = next(self._lines, None)
        if first is None:
            raise FileProblem("the file is empty: a header line is needed")
        text, problem = _decoded(Line(first.number, first.data.removeprefix(b"\xef\xbb\xbf"), first.cut))
        fields, broken = _parsed(text)
        if problem or broken:
            raise FileProblem(f"the header line cannot be read: {problem or broken}")
        self.header = [name.strip() for name in fields]

    def __iter__(self) -> Iterator[Record]:
        while (line := self._next()) is not None:
            if line.data.strip():
                yield self._record(line)

    def _next(self) -> Line | None:
        return self._pending.popleft() if self._pending else next(self._lines, None)

    def _record(self, line: Line) -> Record:
        text, problem = _decoded(line)
        fields, broken = _parsed(text)
        if broken == _OPEN_QUOTE and not problem:
            joined = self._joined(text)
            if joined is not None:
                return Record(line=line.number, fields=joined)
        if broken:
            return Record(line=line.number, fields=[text.rstrip("\r\n")], problem=problem or broken)
        if not problem and len(fields) != len(self.header):
            problem = f"{len(fields)} columns instead of {len(self.header)}"
        return Record(line=line.number, fields=fields, problem=problem)

    def _joined(self, text: str) -> list[str] | None:
        """The fields of a record over several lines, or None; lines that do not belong to it are put back."""
        taken: list[Line] = []
        while len(taken) < MOST_LINES - 1 and (line := self._next()) is not None:
            taken.append(line)
            more, problem = _decoded(line)
            text += more
            if problem:
                break
            if '"' not in more:
                continue
            fields, broken = _parsed(text)
            if broken is None and len(fields) == len(self.header):
                return fields
            if broken != _OPEN_QUOTE:
                break
        self._pending.extendleft(reversed(taken))
        return None


def _decoded(line: Line) -> tuple[str, str | None]:
    """The text, and what is wrong with it."""
    if line.cut:
        return line.data[:1000].decode("utf-8", "backslashreplace"), "the line is too long"
    try:
        text = line.data.decode("utf-8")
    except UnicodeDecodeError:
        return line.data.decode("utf-8", "backslashreplace"), "not UTF-8"
    return text, "a NUL character" if "\0" in text else None


def _parsed(text: str) -> tuple[list[str], str | None]:
    """The columns of one record, and what is wrong with it."""
    try:
        return next(csv.reader((text,), strict=True)), None
    except StopIteration:
        return [""], None
    except csv.Error as error:
        return [], _OPEN_QUOTE if "unexpected end of data" in str(error) else f"broken CSV: {error}"
