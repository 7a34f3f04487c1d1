"""The rows that were not imported, in a file of their own that can be corrected and imported again."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

from commands.importing.source import FileProblem

LINE, REASON = "line", "reason"


class Refused(Exception):
    """A row that is not imported; the message is the reason."""


class Rejects:
    """Collects refused rows as a context manager. The file appears under its name when the import ends well and there
    were any; a file of an earlier run is replaced."""

    def __init__(self, path: Path, header: Sequence[str]) -> None:
        self.path = path
        self.count = 0
        self._header = header
        self._partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
        self._open = ExitStack()

    def __enter__(self) -> Rejects:
        """Raises `FileProblem` when it could not be written later."""
        if self.path.is_dir() or not os.access(self.path.parent, os.W_OK):
            raise FileProblem(f"rejected rows cannot be written to {self.path}: choose another place with --rejects")
        return self

    def add(self, line: int, reason: str, fields: Iterable[str]) -> None:
        """One row: where it begins in the file, why it was refused, and its columns as they are."""
        if self.count == 0:
            file = self._open.enter_context(self._partial.open("w", encoding="utf-8", newline=""))
            self._writer = csv.writer(file)
            self._writer.writerow([LINE, REASON, *self._header])
        self.count += 1
        self._writer.writerow([line, reason, *fields])

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._open.close()
        if self.count and kind is None:
            self._partial.replace(self.path)
        self._partial.unlink(missing_ok=True)
