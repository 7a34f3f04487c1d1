"""Files of every packing, and files that are damaged."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.importing import source as module
from commands.importing.source import FileProblem, Line, Source

TEXT = b"a,b\n1,2\n3,4"


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress])
def test_lines_of_every_packing(tmp_path: Path, pack: Callable[[bytes], bytes]) -> None:
    path = tmp_path / "file"
    path.write_bytes(pack(TEXT))
    with Source(path) as source:
        assert list(source.lines()) == [Line(1, b"a,b\n"), Line(2, b"1,2\n"), Line(3, b"3,4")]
        assert source.position == source.size == len(pack(TEXT))


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
@pytest.mark.parametrize("damage", [lambda data: data[:-9], lambda data: data[:40] + b"junk" + data[44:]])
def test_a_damaged_file_is_said_to_be_damaged(
    tmp_path: Path, pack: Callable[[bytes], bytes], damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "file"
    path.write_bytes(damage(pack(b"".join(b"%d,x\n" % number for number in range(5000)))))
    with Source(path) as source, pytest.raises(FileProblem, match="is damaged"):
        list(source.lines())


def test_a_missing_file_and_a_directory(tmp_path: Path) -> None:
    for path in (tmp_path / "none.csv", tmp_path):
        with pytest.raises(FileProblem, match="cannot be read"), Source(path):
            pass


def test_a_line_that_is_too_long_is_cut_and_the_next_one_is_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LINE_BYTES", 10)
    path = tmp_path / "file"
    path.write_bytes(b"a,b\n" + b"x" * 35 + b"\n1,2\n")
    with Source(path) as source:
        assert list(source.lines()) == [Line(1, b"a,b\n"), Line(2, b"x" * 10, cut=True), Line(3, b"1,2\n")]
