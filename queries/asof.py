"""Up to which moment read models are complete, for the header As-Of: all of them read at once, kept for a second."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from queries.documents.connection import database
from queries.documents.lag import compute_lag
from queries.moments import rfc3339
from queries.reading import FIND_MS

AS_OF_SECONDS = 1.0
UNKNOWN = "unknown"

_lock = threading.Lock()
_kept: tuple[float, dict[str, datetime | None]] | None = None


def as_of(read_model: str) -> datetime | None:
    """The moment up to which a read model is complete, looked up at most a second ago; None when nobody knows."""
    global _kept
    kept = _kept
    if kept is not None and time.monotonic() - kept[0] < AS_OF_SECONDS:
        return kept[1].get(read_model)
    with _lock:
        if _kept is kept or _kept is None:
            looked_at = time.monotonic()
            _kept = (looked_at, _read())
        return _kept[1].get(read_model)


def earliest(moments: Iterable[datetime | None]) -> datetime | None:
    """The moment up to which an answer from several sources is complete; None when one is not known."""
    known = list(moments)
    return None if not known or None in known else min(moment for moment in known if moment is not None)


def as_of_header(moment: datetime | None) -> str:
    return rfc3339(moment) if moment else UNKNOWN


def forget_as_of() -> None:
    """For tests that move to another store."""
    global _kept
    _kept = None


def _read() -> dict[str, datetime | None]:
    """For each read model that has a pointer."""
    pointers = {pointer["_id"]: pointer for pointer in _all("projection_pointers")}
    checkpoints, workers = _by_generation("projection_checkpoints"), _by_generation("projection_workers")
    heads = _all("stream_heads")
    backlog = next(iter(_all("outbox_backlog")), None)
    now = datetime.now(UTC)
    found: dict[str, datetime | None] = {}
    for name, pointer in pointers.items():
        generation = pointer.get("live", 1)
        lag = compute_lag(
            name,
            generation,
            topics=list(pointer.get("topics", [])),
            heads=heads,
            checkpoints=checkpoints[name, generation],
            workers=workers[name, generation],
            backlog=backlog,
            stopped=0,
            now=now,
        )
        found[name] = None if lag.unknown else lag.as_of
    return found


def _all(collection: str) -> list[dict[str, Any]]:
    return list(database()[collection].find({}, max_time_ms=FIND_MS))


def _by_generation(collection: str) -> dict[tuple[str, int], list[dict[str, Any]]]:
    found: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for entry in _all(collection):
        found[entry["projection"], entry["generation"]].append(entry)
    return found
