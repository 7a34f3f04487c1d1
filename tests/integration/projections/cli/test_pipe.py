"""In a pipe a row is one line, as long as it has to be, so that grep finds ids; at a terminal none is broken."""

from __future__ import annotations

import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from projections.cli import output
from projections.cli.alert_tables import alerts_table
from projections.management.commands.alerts import Command as Alerts
from tests.integration.projections.cli.conftest import Projector
from tests.integration.projections.cli.letters import FINGERPRINT, PRODUCTS, Store, open_products, park

PROJECT = Path(__file__).resolve().parents[4]
FIRST = PRODUCTS[0]
AGGREGATE = f"product:{FIRST}"
ERROR = "ValueError: " + "a long story " * 20 + f"\nof {FIRST} in two lines"
LOOKS = (("dlq", "list"), ("dlq", "stats"), ("dlq", "retry", "products", "--all", "--dry-run"), ("status", "products"))


@pytest.fixture
def name(store: Store) -> str:
    """``topic/partition/sequence`` of a letter, of a projection that has stopped at its aggregate."""
    open_products(store)
    key = park(store, FIRST, 17, error=ERROR)
    return "/".join(key.split("|")[2:])


def lines_with(said: str, *words: str) -> list[str]:
    return [line for line in said.splitlines() if all(word in line for word in words)]


def test_in_a_pipe_a_letter_is_one_line_with_everything(name: str, projector: Projector) -> None:
    listed = projector("dlq", "list").out
    assert lines_with(listed, name, AGGREGATE, "PriceSet, version 5", FINGERPRINT, f"story of {FIRST}", "4 attempts")
    assert lines_with(projector("dlq", "stats").out, "products", FINGERPRINT, f"of {FIRST}", "up to 4 attempts")
    assert lines_with(projector("dlq", "retry", "products", "--all", "--dry-run").out, name, AGGREGATE)
    assert lines_with(projector("status", "products").out, AGGREGATE, "products: PriceSet, version 5", f"of {FIRST}")
    assert lines_with(projector("lag", "products").out, "products", "1  (2.0 h)", "parked, running")
    assert not [line for line in listed.splitlines() if line.endswith(" ")]


def test_the_same_at_80_columns_would_not_be_found(
    name: str, projector: Projector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The seeded defect: the test above can fail."""
    monkeypatch.setattr(output, "ENDLESS", 80)
    assert not lines_with(projector("dlq", "list").out, name, AGGREGATE, FINGERPRINT)


@pytest.mark.usefixtures("at_terminal")
@pytest.mark.parametrize("arguments", LOOKS, ids=" ".join)
def test_at_a_terminal_ids_are_whole_and_80_columns_enough(
    arguments: tuple[str, ...], name: str, projector: Projector
) -> None:
    shown = projector(*arguments)
    assert shown.width <= 80, shown.out
    expected = {"list": (name, AGGREGATE, FINGERPRINT), "stats": (FINGERPRINT,), "retry": (name, AGGREGATE)}
    for identity in expected.get(arguments[1], (AGGREGATE,)):
        assert identity in shown.out, shown.out


ALERT = {
    "key": f"dead-letters:{'p' * 40}",
    "severity": "critical",
    "state": "open",
    "since": "2026-01-01T00:00:00Z",
    "summary": "letters are parked",
    "details": f"one of them is of {FIRST}",
    "told": {"email": "2026-01-01T00:00:10Z"},
    "failures": {},
}


@pytest.mark.parametrize("width", [80, output.ENDLESS], ids=["terminal", "pipe"])
def test_the_key_of_an_alert_is_whole(width: int) -> None:
    console = Console(file=StringIO(), width=width)
    with console.capture() as captured:
        console.print(alerts_table([ALERT], wide=width > 80))
    said = captured.get()
    assert lines_with(said, str(ALERT["key"]), "critical", "open") and "told: email 2026-01-01T00:00:10Z" in said
    assert width > 80 or max(map(len, said.splitlines())) <= 80


def test_alerts_in_a_pipe(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    with pytest.raises(SystemExit):
        Alerts().run_from_argv(["manage.py", "alerts"])
    said = capsys.readouterr().out
    assert lines_with(said, "dead-letters:products", "open") and "told: nobody" in said


def test_grep_finds_a_letter(name: str, store_url: str) -> None:
    """A real pipe of a shell that says how wide its terminal is."""
    found = subprocess.run(
        ["sh", "-c", f"{sys.executable} -W ignore manage.py projector dlq list products | grep -F {AGGREGATE}"],
        cwd=PROJECT,
        env={**os.environ, "MONGODB_URL": store_url, "COLUMNS": "80"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert found.returncode == 0 and lines_with(found.stdout, name, FINGERPRINT), found
