"""Reading a file as physical lines, whether it is plain, .gz or .xz, in bounded memory."""

from __future__ import annotations

import gzip
import lzma
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

#: A longer line is cut and refused: product texts have at most 50,000 characters.
LINE_BYTES = 1024 * 1024


class FileProblem(Exception):
    """The file as a whole cannot be imported; the message says why. Nothing has been imported then."""


class Line(NamedTuple):
    """One physical line, its end included; ``cut`` when it was longer than `LINE_BYTES`."""

    number: int
    data: bytes
    cut: bool = False


class Source:
    """A file to import, as a context manager. How it is packed is seen from its first bytes, not from its name."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._open = ExitStack()

    def __enter__(self) -> Source:
        """Raises `FileProblem` when it cannot be opened."""
        try:
            self._raw = self._open.enter_context(self.path.open("rb"))
            self.size = self.path.stat().st_size
            self._plain = self._unpacked()
        except OSError as error:
            self._open.close()
            raise FileProblem(f"{self.path} cannot be read: {error.strerror or error}") from error
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _unpacked(self) -> BinaryIO:
        start = self._raw.peek(6)
        if start.startswith(b"\x1f\x8b"):
            return cast(BinaryIO, self._open.enter_context(gzip.GzipFile(fileobj=self._raw)))
        if start.startswith(b"\xfd7zXZ\x00"):
            return cast(BinaryIO, self._open.enter_context(lzma.LZMAFile(self._raw)))
        return self._raw

    @property
    def position(self) -> int:
        """Bytes of the file read so far, packed as it is."""
        return self._raw.tell()

    def lines(self) -> Iterator[Line]:
        """All lines from 1 on. Raises `FileProblem` where the file is damaged."""
        number = 0
        try:
            while data := self._plain.readline(LINE_BYTES):
                number += 1
                cut = len(data) == LINE_BYTES and not data.endswith(b"\n")
                if cut:
                    self._skip_line()
                yield Line(number, data, cut)
        except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
            raise FileProblem(f"{self.path} is damaged after line {number}: {error}") from error

    def _skip_line(self) -> None:
        while rest := self._plain.readline(LINE_BYTES):
            if rest.endswith(b"\n"):
                return
