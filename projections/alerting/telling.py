"""Whether a message is due: pure decisions on what a book knows of one cause, and the interface of both books."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from acme.alert_settings import AlertSettings
from projections.alerting.cause import Assessment
from projections.alerting.facts import age
from projections.alerting.message import Message

OPEN, OVER = "open", "over"
#: Who has claimed a message has so long to send it; then it counts as not sent and somebody else does it.
CLAIM = timedelta(seconds=60)
#: Each return of a cause within the time of repetition makes "over" wait so many times longer than the one before.
SLOWER = 4


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What is known of one cause. ``missed_at``: since when checks have not found it; None while it holds.

    ``held_since``: since when every check has found it. ``told``: channel → when it was last told that the cause is
    open; empty before, and after it was told that it is over. ``returned``: how often it came back after being over.
    """

    held_since: datetime
    patience: float = 0.0
    missed_at: datetime | None = None
    told: Mapping[str, datetime]
    returned: int = 0


def due_state(standing: Standing, channel: str, now: datetime, settings: AlertSettings) -> str | None:
    """What this channel must be told now: open (for the first time or again), over, or nothing."""
    told = standing.told.get(channel)
    if standing.missed_at is not None:
        return OVER if told is not None and is_over(standing, now, settings) else None
    if told is None:
        return OPEN if age(standing.held_since, now) >= standing.patience else None
    return OPEN if age(told, now) >= settings.repeat else None


def is_over(standing: Standing, now: datetime, settings: AlertSettings) -> bool:
    """Whether it has been absent for long enough; the longer, the more often it came back lately."""
    needed = min(settings.quiet * SLOWER**standing.returned, max(settings.repeat, settings.quiet))
    return standing.missed_at is not None and age(standing.missed_at, now) >= needed


@dataclass(frozen=True, kw_only=True)
class Due:
    """A message that a channel has not had yet. ``failures``: attempts in vain so far."""

    channel: str
    message: Message
    failures: int = 0


class Ledger(Protocol):
    """A book of causes and of who was told. Several processes may use the same one at once."""

    def note(self, assessment: Assessment, now: datetime) -> None:
        """Writes down what holds and what is missed."""

    def due(self, channels: tuple[str, ...], assessment: Assessment, now: datetime) -> list[Due]:
        """The messages that are to be sent, those that failed least first."""

    def claim(self, due: Due, now: datetime) -> Any:
        """The right to send it, for `CLAIM`; None when somebody else has it or it is no longer due."""

    def sent(self, claim: Any, due: Due, now: datetime) -> None:
        """The channel has accepted it."""

    def failed(self, claim: Any, due: Due, now: datetime, reason: str) -> None:
        """Gives the claim back; the next check tries again."""

    def close(self, channels: tuple[str, ...], assessment: Assessment, now: datetime) -> None:
        """Ends what is over and of which every channel knows."""
