"""Rows of `report.status_rows` with what only the command asks: whether anybody ever worked on the projection."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from projections.runtime import report
from projections.runtime.generations import POINTERS
from projections.runtime.letterbox import Store
from projections.runtime.projection import Projection


def status_rows(store: Store, projections: Iterable[Projection]) -> list[dict[str, Any]]:
    """One row per projection. ``was_run``: a worker has opened it once, so that one is missed when none is alive."""
    known = {row["_id"] for row in store[POINTERS].find({}, {"_id": 1})}
    return [{**row, "was_run": row["projection"] in known} for row in report.status_rows(store, projections)]
