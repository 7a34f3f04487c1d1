"""Requests of operators that are not carried out yet, so that nobody has to remember their numbers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from acme.contracts.envelope import time_text
from projections.runtime.letterbox import Store
from projections.runtime.requests import MARKING, REQUESTS, WAITING, progress


def open_requests(store: Store, names: Iterable[str]) -> list[dict[str, Any]]:
    """The oldest first: who asked for what and when, and how far it is. JSON-ready."""
    mine = {"projection": {"$in": list(names)}, "state": {"$in": [MARKING, WAITING]}}
    rows = list(store[REQUESTS].find(mine).sort("_id"))
    return [{**asdict(progress(store, row["_id"])), **_asked(row)} for row in rows]


def _asked(row: dict[str, Any]) -> dict[str, Any]:
    return {"selection": row["selection"], "by": row["by"], "reason": row["reason"], "at": time_text(row["at"])}
