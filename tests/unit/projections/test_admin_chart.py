"""The chart of the admin: where its line ends, what its axes say, and that no text gets into it unescaped."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest

from projections.admin.chart import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, gaps, joined, line_chart, nice_top, number

END = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
BEGIN = END - timedelta(hours=1)


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def test_a_line_ends_where_nothing_is_known() -> None:
    points = [(at(0), 1.0), (at(15), 2.0), (at(30), None), (at(45), 3.0), (at(60), 4.0), (at(300), 5.0)]
    runs = list(joined(points))
    assert [[value for _, value in run] for run in runs] == [[1.0, 2.0], [3.0, 4.0], [5.0]]
    assert list(gaps(runs, BEGIN, END)) == [(at(15), at(45)), (at(60), at(300)), (at(300), END)]


def test_without_the_rule_a_line_would_be_drawn_over_the_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded defect: the test above can fail."""
    monkeypatch.setattr("projections.admin.chart.APART", timedelta(hours=1))
    assert len(list(joined([(at(60), 4.0), (at(300), 5.0)]))) == 1


def test_a_sample_that_is_due_is_no_gap() -> None:
    runs = list(joined([(at(n), 0.0) for n in range(20, 3590, 15)]))
    assert len(runs) == 1 and list(gaps(runs, BEGIN, END)) == []


@pytest.mark.parametrize(
    ("highest", "top"), [(0, 1), (0.4, 1), (1, 1), (1.1, 2), (3, 5), (7, 10), (10, 10), (11, 20), (4999, 5000)]
)
def test_the_axis_ends_at_a_round_number(highest: float, top: float) -> None:
    assert nice_top(highest) == top


def test_numbers_are_short() -> None:
    assert [number(n) for n in (0.0, 0.25, 5.0, 12.4, 12345.0)] == ["0", "0.25", "5", "12", "12,345"]


def test_axes_have_units_and_times_and_every_point_is_inside() -> None:
    drawn = line_chart([(at(n), n / 7) for n in range(0, 3601, 15)], label="Lag", unit="seconds", begin=BEGIN, end=END)
    assert re.findall(r'class="time"[^>]*>([^<]+)', drawn) == [f"09:{m}0" for m in range(1, 6)] + ["10:00"]
    assert ">seconds<" in drawn and ">time (UTC)<" in drawn and ">1,000<" in drawn
    assert 'aria-label="Lag in the last hour: at most 514 seconds, last known 514 seconds"' in drawn
    path = re.search(r'class="line" d="M([^"]+)"', drawn)
    assert path
    places = [tuple(map(float, pair.split())) for pair in path[1].split("L")]
    assert all(LEFT <= x <= WIDTH - RIGHT and TOP <= y <= HEIGHT - BOTTOM for x, y in places)
    assert places[0][1] == HEIGHT - BOTTOM


def test_nothing_known_is_said() -> None:
    drawn = line_chart([(at(0), None)], label="Lag", unit="seconds", begin=BEGIN, end=END)
    assert 'class="line"' not in drawn and ">not known<" in drawn
    assert 'aria-label="Lag: not known in this hour"' in drawn


def test_texts_are_escaped() -> None:
    drawn = line_chart([(at(0), 1.0)], label='"><script>', unit="<b>", begin=BEGIN, end=END)
    assert "<script>" not in drawn and "<b>" not in drawn
