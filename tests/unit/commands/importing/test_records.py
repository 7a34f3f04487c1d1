"""CSV records: a broken line costs itself and nothing else."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.importing.records import Record, Records
from commands.importing.source import LINE_BYTES, FileProblem, Line


def records(text: str | bytes) -> list[Record]:
    data = text.encode() if isinstance(text, str) else text
    return list(Records(Line(number, line) for number, line in enumerate(io.BytesIO(data), start=1)))


def seen(text: str | bytes) -> list[tuple[int, list[str] | str]]:
    return [(record.line, record.problem or record.fields) for record in records(text)]


def test_plain_quoted_and_blank_lines() -> None:
    assert seen('\ufeffa, b\r\n1,2\r\n\r\n"3, ""x""",4\n5" plate,6') == [
        (2, ["1", "2"]),
        (4, ['3, "x"', "4"]),
        (5, ['5" plate', "6"]),
    ]


def test_a_quoted_field_may_have_several_lines() -> None:
    assert seen('a,b\n"one\n\ntwo",2\n3,4\n') == [(2, ["one\n\ntwo", "2"]), (5, ["3", "4"])]


def test_a_quote_that_stays_open_refuses_its_own_line_only() -> None:
    assert seen('a,b\n"one,2\n3,4\n5,"x"y\n7,8\n') == [
        (2, "a quote is opened and not closed"),
        (3, ["3", "4"]),
        (4, "broken CSV: ',' expected after '\"'"),
        (5, ["7", "8"]),
    ]


def test_an_open_quote_at_the_end_of_the_file() -> None:
    assert seen('a,b\n1,2\n"') == [(2, ["1", "2"]), (3, "a quote is opened and not closed")]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b"1\n", "1 columns instead of 2"),
        (b"1,2,3\n", "3 columns instead of 2"),
        (b"\xa3,2\n", "not UTF-8"),
        (b"\x00,2\n", "a NUL character"),
        (b"1\r2,3\n", "broken CSV"),
        (b"x" * 200_000 + b",2\n", "broken CSV"),
    ],
)
def test_broken_lines_are_refused_with_a_reason(line: bytes, problem: str) -> None:
    (broken, good) = seen(b"a,b\n" + line + b"8,9\n")
    assert good == (3, ["8", "9"])
    assert str(broken[1]).startswith(problem)


def test_a_cut_line_is_refused() -> None:
    lines = [Line(1, b"a,b\n"), Line(2, b"x" * LINE_BYTES, cut=True), Line(3, b"1,2\n")]
    assert [(record.line, record.problem) for record in Records(lines)] == [(2, "the line is too long"), (3, None)]


@pytest.mark.parametrize("text", [b"", b"\xff\xfea\x00", b'"a,b\n'])
def test_without_a_header_there_is_nothing_to_import(text: bytes) -> None:
    with pytest.raises(FileProblem):
        records(text)


texts = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.sampled_from('",\n'), max_size=12)


@given(st.lists(st.tuples(texts, texts), max_size=8))
def test_what_the_csv_module_writes_is_read_back(rows: list[tuple[str, str]]) -> None:
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerows([("a", "b"), *rows])
    assert [record.fields for record in records(out.getvalue())] == [list(row) for row in rows]
