"""Which workers are alive, as seen from here.

Clocks of hosts differ, so a lease alone does not say who is alive: a worker that was killed while its clock was ahead
has one for as long as it was ahead. One whose heartbeat has not changed for so long by our own clock is taken for dead.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

#: Seconds without any change: of one whose lease has not ended, and of one whose lease has (by our clock).
SILENT, SILENT_WITHOUT_LEASE = 10.0, 3.0


class Liveness:
    """Looks at heartbeats again and again; what it knows of one goes with the object."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[str, tuple[Any, float, bool]] = {}  # heartbeat, since when, whether it ever changed

    def is_alive(self, row: dict[str, Any]) -> bool:
        """``row``: ``_id``, ``seen_at`` and ``lease_until`` of a heartbeat as it is now."""
        now, stamp = self._clock(), (row.get("seen_at"), row["lease_until"])
        before, since, changed = self._seen.get(row["_id"], (None, now, False))
        if stamp != before:
            since, changed = now, before is not None
        self._seen[row["_id"]] = stamp, since, changed
        lively = changed or row["lease_until"] > datetime.now(UTC)
        return now - since <= (SILENT if lively else SILENT_WITHOUT_LEASE)
