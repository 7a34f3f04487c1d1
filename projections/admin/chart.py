"""A line over time as inline SVG: no script, no library in the browser, colours from the admin's own variables.

So it is readable in the light and in the dark theme. Where nothing is known the line ends, and the gap is shaded.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 520, 200
LEFT, RIGHT, TOP, BOTTOM = 66, 14, 14, 42  # room for the axes' labels
#: Two points further apart are not joined: between them nobody looked.
APART = timedelta(seconds=40)
TICK_MINUTES = 10

Point = tuple[datetime, float | None]
Run = list[tuple[datetime, float]]


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Which times and values the picture shows, and where they lie in it."""

    begin: datetime
    end: datetime
    top: float  # the highest value of the axis

    def x(self, moment: datetime) -> float:
        share = (moment - self.begin) / (self.end - self.begin)
        return round(LEFT + share * (WIDTH - LEFT - RIGHT), 1)

    def y(self, value: float) -> float:
        return round(HEIGHT - BOTTOM - value / self.top * (HEIGHT - TOP - BOTTOM), 1)


def line_chart(points: Sequence[Point], *, label: str, unit: str, begin: datetime, end: datetime) -> SafeString:
    """``points`` in order of time; None: not known then. ``label`` names the value, ``unit`` its axis."""
    runs = list(joined(points))
    highest = max((value for run in runs for _, value in run), default=0.0)
    frame = Frame(begin=begin, end=end, top=nice_top(highest))
    return format_html(
        '<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}{}{}</svg>',
        WIDTH,
        HEIGHT,
        _spoken(runs, label, unit),
        format_html_join("", "{}", ((_shade(frame, *gap),) for gap in gaps(runs, begin, end))),
        _value_axis(frame, unit),
        _time_axis(frame),
        format_html_join("", "{}", ((_area(frame, run),) for run in runs)),
        format_html_join("", "{}", ((_line(frame, run),) for run in runs)),
    )


def joined(points: Sequence[Point]) -> Iterator[Run]:
    """The stretches in which every value is known and no two points are too far apart."""
    run: Run = []
    for moment, value in points:
        if run and (value is None or moment - run[-1][0] > APART):
            yield run
            run = []
        if value is not None:
            run.append((moment, value))
    if run:
        yield run


def gaps(runs: Sequence[Run], begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """What lies between the stretches, before the first and after the last, where it is longer than a sample is due."""
    edges = [begin, *(moment for run in runs for moment in (run[0][0], run[-1][0])), end]
    for first, last in zip(edges[::2], edges[1::2], strict=True):
        inner = first != begin and last != end
        if last - first > (timedelta() if inner else APART):
            yield first, last


def nice_top(highest: float) -> float:
    """The next of 1, 2, 5, 10, 20, 50 … that is not below; at least 1, so that nothing looks like much."""
    if highest <= 1:
        return 1.0
    step: float = 10 ** math.floor(math.log10(highest))
    return next(step * factor for factor in (1, 2, 5, 10) if step * factor >= highest)


def _spoken(runs: Sequence[Run], label: str, unit: str) -> str:
    if not runs:
        return f"{label}: not known in this hour"
    highest = max(value for run in runs for _, value in run)
    return f"{label} in the last hour: at most {number(highest)} {unit}, last known {number(runs[-1][-1][1])} {unit}"


def number(value: float) -> str:
    """ "12,345", "0.25"."""
    return f"{value:,.0f}" if value >= 10 or value == int(value) else f"{value:.2f}"


def _value_axis(frame: Frame, unit: str) -> SafeString:
    ticks = (
        (LEFT, frame.y(value), WIDTH - RIGHT, LEFT - 6, frame.y(value) + 4, number(value))
        for value in (0.0, frame.top / 2, frame.top)
    )
    middle = (HEIGHT - BOTTOM + TOP) / 2
    return format_html(
        '{}<text class="unit" transform="translate(13 {}) rotate(-90)">{}</text>',
        format_html_join(
            "",
            '<path class="grid" d="M{0} {1}H{2}"/><text class="value" x="{3}" y="{4}">{5}</text>',
            ticks,
        ),
        middle,
        unit,
    )


def _time_axis(frame: Frame) -> SafeString:
    base = HEIGHT - BOTTOM
    first = frame.begin.replace(minute=frame.begin.minute // TICK_MINUTES * TICK_MINUTES, second=0, microsecond=0)
    moments = (first + timedelta(minutes=TICK_MINUTES * n) for n in range(1, 100))
    shown = [moment for moment in moments if moment <= frame.end][: 60 // TICK_MINUTES + 1]
    ticks = ((frame.x(m), base, base + 5, base + 19, timezone.localtime(m).strftime("%H:%M")) for m in shown)
    zone = timezone.localtime(frame.end).tzname()
    return format_html(
        '{}<text class="unit" x="{}" y="{}">time ({})</text>',
        format_html_join(
            "", '<path class="grid" d="M{0} {1}V{2}"/><text class="time" x="{0}" y="{3}">{4}</text>', ticks
        ),
        (LEFT + WIDTH - RIGHT) / 2,
        HEIGHT - 4,
        zone,
    )


def _shade(frame: Frame, first: datetime, last: datetime) -> SafeString:
    left, right = frame.x(max(first, frame.begin)), frame.x(min(last, frame.end))
    said = "not known" if right - left > 60 else ""
    return format_html(
        '<rect class="unknown" x="{}" y="{}" width="{}" height="{}"/><text class="unknown" x="{}" y="{}">{}</text>',
        left,
        TOP,
        round(right - left, 1),
        HEIGHT - TOP - BOTTOM,
        round((left + right) / 2, 1),
        (HEIGHT - BOTTOM + 3 * TOP) / 4 + 4,  # between two lines of the grid
        said,
    )


def _path(frame: Frame, run: Run) -> str:
    return "L".join(f"{frame.x(moment)} {frame.y(value)}" for moment, value in run)


def _line(frame: Frame, run: Run) -> SafeString:
    # One point alone is a dot: a line of no length with round ends.
    return format_html('<path class="line" d="M{}{}"/>', _path(frame, run), "" if len(run) > 1 else "h0.01")


def _area(frame: Frame, run: Run) -> SafeString:
    base, first, last = HEIGHT - BOTTOM, frame.x(run[0][0]), frame.x(run[-1][0])
    return format_html('<path class="area" d="M{} {}L{}L{} {}Z"/>', first, base, _path(frame, run), last, base)
