"""What people see: the lag in words, the table, the report of the check."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from acme.devstack.check import Report
from acme.devstack.lag import in_words
from acme.devstack.process import Process, Program
from acme.devstack.supervisor import Service, State, Supervised
from acme.devstack.table import Display, status_table

CAUGHT_UP = {
    "projection": "orders",
    "lag": "known",
    "unnumbered": 0,
    "unacknowledged": 0,
    "unprojected": 0,
    "seconds": 0.0,
    "stopped_aggregates": 0,
}
BEHIND = CAUGHT_UP | {"projection": "products", "unnumbered": 2, "unprojected": 10, "seconds": 0.84}
UNKNOWN = BEHIND | {"lag": "unknown", "seconds": None}


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([], "no projections"),
        ([CAUGHT_UP], "0 events"),
        ([CAUGHT_UP, BEHIND], "12 events, 0.8 s (products)"),
        ([CAUGHT_UP, UNKNOWN], "unknown (products)"),
        ([UNKNOWN, UNKNOWN], "unknown (no projector has looked for some seconds)"),
        ([CAUGHT_UP | {"stopped_aggregates": 2}], "0 events; 2 aggregates stopped, see `manage.py projector status`"),
    ],
)
def test_lag_in_words(rows: list[object], words: str) -> None:
    assert in_words(json.dumps({"projections": rows})) == words


def test_no_answer_is_not_zero() -> None:
    assert in_words("") == "unknown (projector lag does not answer)"


def test_the_table_names_every_process_and_what_is_not_ours(tmp_path: Path) -> None:
    program = Program(name="web", argv=("web",), log=tmp_path / "web.log", port=8000)
    one = Supervised(
        Service(program=program, where="http://127.0.0.1:8000"), Process(program), State.WAITING, restarts=3
    )
    output = io.StringIO()
    table = status_table([one], {"MONGODB_URL": "mongodb://elsewhere/acme"}, "0 events")
    Console(file=output, width=120).print(table)
    text = output.getvalue()
    assert "web" in text
    assert "waiting" in text
    assert "MONGODB_URL" in text
    assert "elsewhere" not in text  # a URL may hold a password
    assert "lag: 0 events" in text


def test_no_table_that_says_running_is_left_at_the_end(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = Program(name="web", argv=("web",), log=tmp_path / "web.log", port=8000)
    one = Supervised(Service(program=program, where="here"), Process(program), State.RUNNING)
    with Display(live=True) as display:
        display.show([one], {}, "0 events")
        display.say("stopped")
    assert capsys.readouterr().out.split() == ["stopped"]


def test_the_report_in_lines_and_in_json() -> None:
    lines, document = io.StringIO(), io.StringIO()
    for report in (people := Report(lines, as_json=False), machine := Report(document, as_json=True)):
        report.step("create a product", 12.34)
        report.step("read it", 5.0, lag=4.96, wrong="price is 1, not 2")
        report.finish()
    assert lines.getvalue().splitlines() == [
        f"{'ok':<6}{'create a product':<46}     12.3 ms",
        f"{'WRONG':<6}{'read it':<46}      5.0 ms   lag     5.0 ms   price is 1, not 2",
    ]
    answer = json.loads(document.getvalue())
    assert [step["ok"] for step in answer["steps"]] == [True, False]
    assert answer["passed"] is people.passed is machine.passed is False
