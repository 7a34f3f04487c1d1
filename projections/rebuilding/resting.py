"""Whether all workers of the live generation rest, as seen from here."""

from __future__ import annotations

from typing import Any

from pymongo.database import Database

from projections.runtime.liveness import Liveness


class Resting:
    """Looks again and again, over all tries of one swap."""

    def __init__(self, store: Database[dict[str, Any]], projection: str, generation: int) -> None:
        self._workers = store["projection_workers"]
        self._chosen = {"projection": projection, "generation": generation}
        self._liveness = Liveness()

    def all_rest(self, handing_over: str) -> bool:
        """Whether each has said that it rests for this hand-over, or is dead."""
        rows = self._workers.find(self._chosen, {"handing_over": 1, "seen_at": 1, "lease_until": 1})
        alive = [row for row in rows if self._liveness.is_alive(row)]
        return all(row.get("handing_over") == handing_over for row in alive)
