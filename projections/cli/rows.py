"""Rows of `projections.runtime.report`, with what is parked and paused where the report does not say it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from acme.contracts.envelope import time_text
from projections.runtime import report
from projections.runtime.control import read_orders
from projections.runtime.letterbox import Selection, Store, count_letters
from projections.runtime.projection import Projection


def status_rows(store: Store, projections: Iterable[Projection]) -> list[dict[str, Any]]:
    rows = report.status_rows(store, projections)
    for row in rows:
        if "paused" not in row:
            paused = read_orders(store, row["projection"]).paused
            row["paused"] = {**paused, "at": time_text(paused["at"])} if paused else None
        if "parked" not in row:
            row["parked"] = count_letters(store, row["projection"], Selection(everything=True))
    return rows
