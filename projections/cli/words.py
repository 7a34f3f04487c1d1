"""How the command puts numbers, times and texts of others for a terminal."""

from __future__ import annotations

import getpass
import os
import re
import socket
from datetime import UTC, datetime

from projections.alerting import words

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def duration(seconds: float | None) -> str:
    """0.25 s, 12 s, 3 min 5 s, 2 h 10 min; unknown for None."""
    if seconds is None:
        return "unknown"
    return f"{seconds:.2f} s" if seconds < 10 else words.duration(seconds)


def short(seconds: float | None) -> str:
    """For a cell: 0.25 s, 12 s, 3.1 min, 2.2 h, 3.2 d; unknown for None."""
    if seconds is None:
        return "unknown"
    if seconds < 10:
        return f"{seconds:.2f} s"
    for limit, unit, name in ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.1f} {name}" if unit > 1 else f"{seconds:.0f} s"
    return f"{seconds / 86400:.1f} d"


def number(value: int) -> str:
    return f"{value:,}"


def counted(value: int, one: str) -> str:
    """1 letter, 2,417 letters."""
    return f"{value:,} {one}" if value == 1 else f"{value:,} {one}s"


def ago(moment: str | None, now: datetime | None = None) -> str:
    """How long since an RFC 3339 time: 12 s ago, 3.1 min ago; empty for None."""
    if not moment:
        return ""
    seconds = max(0.0, ((now or datetime.now(UTC)) - datetime.fromisoformat(moment)).total_seconds())
    return f"{seconds:.0f} s ago" if seconds < 10 else f"{short(seconds)} ago"


def plain(text: object) -> str:
    """Text of events and errors without control characters, which could rewrite the operator's terminal."""
    return _CONTROLS.sub(lambda found: f"\\x{ord(found.group()):02x}", str(text))


def one_line(error: BaseException) -> str:
    """An engine's message without the driver's picture of the whole topology."""
    return plain(" ".join(str(error).partition(", Timeout:")[0].split()) or type(error).__name__)


def operator() -> str:
    """Who asks: the user of the operating system and the host."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a container's user without a name
        user = f"uid {os.getuid()}"
    return f"{user}@{socket.gethostname()}"
