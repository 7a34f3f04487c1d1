"""Whether all workers of the live generation rest, as seen from here.

Clocks of hosts differ, so a lease alone does not say who is alive: a worker is taken for dead when its heartbeat has
not changed for so long by our own clock.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from pymongo.database import Database

#: Seconds without any change: of one whose lease has not ended, and of one whose lease has (by our clock).
SILENT, SILENT_WITHOUT_LEASE = 10.0, 3.0


class Resting:
    """Looks again and again, over all tries of one swap."""

    def __init__(self, store: Database[dict[str, Any]], projection: str, generation: int) -> None:
        self._workers = store["projection_workers"]
        self._chosen = {"projection": projection, "generation": generation}
        self._seen: dict[str, tuple[Any, float, bool]] = {}  # heartbeat, since when, whether it ever changed

    def all_rest(self, handing_over: str) -> bool:
        """Whether each has said that it rests for this hand-over, or is dead."""
        rows = self._workers.find(self._chosen, {"handing_over": 1, "seen_at": 1, "lease_until": 1})
        waited_for = [row for row in rows if row.get("handing_over") != handing_over and not self._is_dead(row)]
        return not waited_for

    def _is_dead(self, row: dict[str, Any]) -> bool:
        now, stamp = time.monotonic(), (row.get("seen_at"), row["lease_until"])
        before, since, changed = self._seen.get(row["_id"], (None, now, False))
        if stamp != before:
            since, changed = now, before is not None
        self._seen[row["_id"]] = stamp, since, changed
        lively = changed or row["lease_until"] > datetime.now(UTC)
        return now - since > (SILENT if lively else SILENT_WITHOUT_LEASE)
