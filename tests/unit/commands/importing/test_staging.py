"""Invoices out of lines that stand anywhere in the file."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from commands.importing import staging as module
from commands.importing.retail import RetailLine, parse_line
from commands.importing.staging import FirstSeen, Staging
from tests.unit.commands.importing.test_retail import ROW

LINE = parse_line(ROW)


def staged(staging: Staging, *lines: RetailLine) -> None:
    for number, line in enumerate(lines, start=2):
        staging.add(number, line, [line.invoice])
    staging.sort()


def test_scattered_lines_disagreeing_ones_and_the_earliest_moment() -> None:
    early = LINE.at - timedelta(hours=1)
    with Staging() as staging:
        staged(
            staging,
            replace(LINE, customer=None, country=None),
            replace(LINE, invoice="C9"),
            replace(LINE, customer="1", country="DE", at=early),
            replace(LINE, customer="2", country="FR"),
        )
        first, second = staging.invoices(1, 2)
    assert (first.number, len(first.lines), first.customer, first.country, first.at) == ("536365", 3, "1", "DE", early)
    assert (second.number, len(second.lines)) == ("C9", 1)


def test_what_the_file_says_first_of_skus_and_customers() -> None:
    with Staging() as staging:
        staged(
            staging,
            replace(LINE, description="", unit_minor=99, country=None),
            replace(LINE, description="LATER", at=LINE.at - timedelta(days=9)),
            replace(LINE, description="LAST", sku="X", country="DE"),
        )
        assert staging.first_seen("85123A") == FirstSeen(description="LATER", unit_minor=99)
        assert staging.customer("17850") == ("FR", LINE.at - timedelta(days=9))


def test_batches_are_bounded_by_lines_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LINES_PER_BATCH", 3)
    numbers = ["1", "2", "2", "3", "4", "4", "4", "4", "5"]
    with Staging() as staging:
        staged(staging, *(replace(LINE, invoice=number) for number in numbers))
        assert [batch for _, _, batch in staging.batches(2)] == [["1", "2"], ["3"], ["4"], ["5"]]


def test_invoices_that_no_event_could_carry_are_taken_out() -> None:
    with Staging() as staging:
        staged(staging, LINE, *(replace(LINE, invoice="huge") for _ in range(40)), replace(LINE, invoice="2"))
        assert list(staging.refuse_larger(10_000)) == [("huge", 40)]
        assert [batch for _, _, batch in staging.batches(9)] == [["536365", "2"]]
