"""How the query side reads MongoDB: always from a live generation, always with a time limit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from queries.documents.connection import live_collection

#: Milliseconds that the store may spend on one find, and on one report.
FIND_MS = 3_000
REPORT_MS = 60_000

Stored = dict[str, Any]

_MILLISECOND = timedelta(milliseconds=1)


def just_after(value: int | str | datetime) -> Any:
    """The least stored value that is greater: ``< just_after(v)`` is ``<= v``.

    Upper bounds are written this way, because the embedded store loses the equal ones of a ``$lte`` on a field in the
    middle of an index. MongoDB compares strings as bytes and keeps times in milliseconds.
    """
    if isinstance(value, str):
        return value + "\0"
    return value + (_MILLISECOND if isinstance(value, datetime) else 1)


def find_one(projection: str, query: Mapping[str, Any]) -> Stored | None:
    """One document of a read model, or None."""
    return live_collection(projection).find_one(query, max_time_ms=FIND_MS)


def find_by_ids(projection: str, ids: Sequence[str], fields: Mapping[str, Any] | None = None) -> dict[str, Stored]:
    """The documents with these ids that exist, by id."""
    if not ids:
        return {}
    wanted = {"_id": {"$in": sorted(set(ids))}}
    return {found["_id"]: found for found in live_collection(projection).find(wanted, fields, max_time_ms=FIND_MS)}
