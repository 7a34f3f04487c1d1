"""What a cause for an alert is. It has a stable key, so that the book (`book.py`) knows it again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Kind(StrEnum):
    """What can be wrong; keys begin with it."""

    DEAD_LETTERS = "dead-letters"
    LAG = "lag"
    HEARTBEAT = "heartbeat"
    HANGING = "hanging"
    GAP = "gap"
    EPOCH = "epoch"
    QUEUE_FULL = "queue-full"
    PAUSED = "paused"
    DIFFERENCES = "differences"
    PUBLISHER = "publisher"
    READ_STORE = "read-store"
    EVENT_LOG = "event-log"


@dataclass(frozen=True, kw_only=True)
class Cause:
    """Something that is wrong now.

    ``since``: when it began, where the data say so. ``patience``: seconds for which checks must have seen it before
    anybody is told, where they do not. ``mark``: while it changes, patience begins anew.
    """

    kind: Kind
    key: str
    severity: str  # critical: customers are or will be served wrongly or not at all; warning: it can wait for the day
    summary: str
    details: str
    projection: str = ""
    since: datetime | None = None
    patience: float = 0.0
    mark: str = ""


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """The causes that hold, and the beginnings of keys about which nothing is known just now."""

    causes: tuple[Cause, ...]
    unknown: tuple[str, ...] = ()

    def knows(self, key: str) -> bool:
        """Whether a key that is not among the causes is really gone."""
        return not any(key == beginning or key.startswith(f"{beginning}:") for beginning in self.unknown)
