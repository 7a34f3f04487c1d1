"""How messages put numbers and times, for somebody who is woken by them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from acme.contracts.envelope import time_text
from projections.alerting.facts import age


def text(*paragraphs: str) -> str:
    """Paragraphs below each other; empty ones are left out."""
    return "\n".join(paragraph for paragraph in paragraphs if paragraph)


def listed(title: str, rows: Sequence[str], total: int) -> str:
    """A list under its title, which says how many more there are."""
    more = [f"  and {total - len(rows)} more"] if total > len(rows) else []
    return "\n".join([title, *rows, *more])


def events(count: int) -> str:
    return f"{count} event" if count == 1 else f"{count} events"


def ago(moment: datetime, now: datetime) -> str:
    return f"{duration(age(moment, now))} ago ({time_text(moment)})"


def duration(seconds: float) -> str:
    """The two largest units: 45 s, 3 min 5 s, 2 h 10 min, 3 d 4 h."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    for big, name, small, small_name in ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s")):
        if whole >= big:
            return f"{whole // big} {name} {whole % big // small} {small_name}"
    raise AssertionError(whole)
