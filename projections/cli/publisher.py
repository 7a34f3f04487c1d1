"""Whether the publisher stands still, for `status` and `lag`: then nothing new gets to any projection.

PostgreSQL may be out of reach where the command runs: then nothing is said of the publisher.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from rich.text import Text

from acme.contracts.envelope import time_text
from acme.env import env
from acme.ports import PublisherState, event_log
from projections.cli.words import ago, plain
from projections.runtime.failures import ENGINE_FAILURES

SECONDS = 10.0  # between two questions of `PublisherLooks`
AFTER_FAILURE = 60.0  # the same, when PostgreSQL could not be asked: to find that out may take seconds
ONE_MOVE = 2.0  # a publisher that works gets something to Kafka within so many seconds
Row = dict[str, Any]


def look_once() -> Row | None:
    """One look, JSON-ready; None where PostgreSQL cannot be asked. Takes `ONE_MOVE` when events wait for too long."""
    try:
        state = event_log().publisher()
        before, deadline = state.published, time.monotonic() + ONE_MOVE
        while _overdue(state) and state.published == before and time.monotonic() < deadline:
            time.sleep(0.2)
            state = event_log().publisher()
    except ENGINE_FAILURES:
        return None
    return _row(state, moved=state.published != before)


class PublisherLooks:
    """For those who look again and again: PostgreSQL is asked every ten seconds, and what it said holds meanwhile."""

    def __init__(self) -> None:
        self._next, self._published = 0.0, -1
        self._row: Row | None = None

    def look(self) -> Row | None:
        """As `look_once`, but it waits for no move: it compares with the look before."""
        if time.monotonic() < self._next:
            return self._row
        try:
            state = event_log().publisher()
        except ENGINE_FAILURES:
            self._row, self._next = None, time.monotonic() + AFTER_FAILURE
            return None
        moved = self._published != state.published  # at the first look: nobody can say yet
        self._row, self._published = _row(state, moved=moved), state.published
        self._next = time.monotonic() + SECONDS
        return self._row


def publisher_line(row: Row | None) -> list[Text]:
    """What to write below a table: nothing while it works."""
    if not row or not row["stands_still"]:
        return []
    since = f" since {row['since']} ({ago(row['since'])})" if row["since"] else ""
    return [Text(f"\nthe publisher stands still{since}: {plain(row['why'])}; see manage.py alerts", style="bold red")]


def _overdue(state: PublisherState) -> bool:
    oldest = state.oldest_recorded_at
    if state.halted_reason or oldest is None:
        return False
    return (datetime.now(UTC) - oldest).total_seconds() > env.alerts.publisher


def _row(state: PublisherState, *, moved: bool) -> Row:
    """``since``: when the oldest event that waits was recorded; None when none does."""
    why = ""
    if state.halted_reason:
        why = f"it is halted in log epoch {state.epoch}: {state.halted_reason}"
    elif _overdue(state) and not moved:
        why = "no event gets to Kafka"
    return {
        "stands_still": bool(why),
        "why": why or None,
        "since": time_text(state.oldest_recorded_at) if why and state.oldest_recorded_at else None,
        "unnumbered": state.unnumbered,
        "unpublished": state.unpublished,
    }
