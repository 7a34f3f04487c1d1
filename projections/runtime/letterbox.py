"""Dead letters as an operator reads them: which there are, what is in one, and how many of each kind. Writes nothing.

All of it is about the live generation. Values are JSON-ready; times are RFC 3339 texts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from pymongo.database import Database

from acme.contracts.envelope import time_text
from projections.runtime.generations import live_of

LETTERS = "projection_dead_letters"
PARKED, DISCARDED = "parked", "discarded"
SUMMARY = [
    "_id",
    "projection",
    "topic",
    "partition",
    "sequence",
    "aggregate",
    "aggregate_version",
    "event_type",
    "schema_version",
    "error",
    "fingerprint",
    "held",
    "held_by",
    "attempts",
    "first_at",
    "last_at",
    "state",
    "discarded_by",
    "discarded_reason",
    "discarded_at",
    "request",
    "outcome",
]
#: Order of the stream within every partition, and so within every aggregate.
IN_ORDER = [("topic", 1), ("partition", 1), ("sequence", 1), ("offset", 1)]
Store = Database[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Selection:
    """Which dead letters of a projection are meant: exactly one of the four. Raises ValueError otherwise."""

    letter: str | None = None
    aggregate: str | None = None
    fingerprint: str | None = None
    everything: bool = False

    def __post_init__(self) -> None:
        if sum(map(bool, (self.letter, self.aggregate, self.fingerprint, self.everything))) != 1:
            raise ValueError("name one letter, one aggregate, one fingerprint, or all")

    def filter(self, store: Store, projection: str, *, state: str = PARKED) -> dict[str, Any]:
        """What finds them in the collection of letters."""
        chosen: dict[str, Any] = {
            "projection": projection,
            "generation": live_of(store, projection),
            "state": state,
        }
        if self.letter:
            chosen["_id"] = self.letter
        elif self.aggregate:
            chosen["aggregate"] = self.aggregate
        elif self.fingerprint:
            chosen["fingerprint"] = self.fingerprint
        return chosen

    def __str__(self) -> str:
        if self.letter:
            return f"letter {self.letter}"
        if self.aggregate:
            return f"aggregate {self.aggregate}"
        return f"fingerprint {self.fingerprint}" if self.fingerprint else "all"


def find_letters(
    store: Store, projection: str, selection: Selection, *, state: str = PARKED, limit: int = 100, skip: int = 0
) -> list[dict[str, Any]]:
    """Summaries in the order of the stream."""
    rows = store[LETTERS].find(selection.filter(store, projection, state=state), dict.fromkeys(SUMMARY, 1))
    return [_plain(row) for row in rows.sort(IN_ORDER).skip(skip).limit(limit)]


def count_letters(store: Store, projection: str, selection: Selection, *, state: str = PARKED) -> int:
    return store[LETTERS].count_documents(selection.filter(store, projection, state=state))


def get_letter(store: Store, letter_id: str) -> dict[str, Any] | None:
    """One letter, whole: ``data`` is the event's JSON, or ``raw`` its bytes in hexadecimal where they are no JSON."""
    row = store[LETTERS].find_one({"_id": letter_id})
    if row is None:
        return None
    record = row.pop("record", None) or {}
    headers = {name: bytes(value).decode(errors="replace") for name, value in record.get("headers", [])}
    return {**_plain(row), "headers": headers, "key": _text(record.get("key")), **_content(record.get("value"))}


def statistics(store: Store, names: Iterable[str]) -> list[dict[str, Any]]:
    """One row for each projection and fingerprint, most letters first.

    ``failing`` letters failed themselves, ``held`` ones wait behind them; ``aggregates`` are stopped; ``oldest_at`` is
    when the first was parked.
    """
    rows = [row for name in names for row in _by_fingerprint(store, name)]
    return sorted(rows, key=lambda row: (-row["letters"], row["projection"], row["fingerprint"]))


def _by_fingerprint(store: Store, projection: str) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    aggregates: dict[str, set[str]] = {}
    mine = {"projection": projection, "generation": live_of(store, projection)}
    wanted = dict.fromkeys(
        ["fingerprint", "state", "held", "aggregate", "error", "event_type", "attempts", "first_at"], 1
    )
    for row in store[LETTERS].find(mine, wanted):
        name = row.get("fingerprint") or ""
        entry = found.setdefault(name, _empty(projection, name))
        if row["state"] == DISCARDED:
            entry["discarded"] += 1
            continue
        entry["letters"] += 1
        entry["held" if row.get("held") else "failing"] += 1
        entry["attempts"] = max(entry["attempts"], row.get("attempts", 0))
        if not row.get("held"):
            entry["error"], entry["event_type"] = row.get("error"), row.get("event_type")
        if row.get("aggregate"):
            aggregates.setdefault(name, set()).add(row["aggregate"])
        since = time_text(row["first_at"])
        entry["oldest_at"] = min(since, entry["oldest_at"] or since)
    return [{**entry, "aggregates": len(aggregates.get(name, ()))} for name, entry in found.items()]


def _empty(projection: str, fingerprint: str) -> dict[str, Any]:
    texts: dict[str, Any] = {"projection": projection, "fingerprint": fingerprint, "error": None, "event_type": None}
    return {**texts, "letters": 0, "failing": 0, "held": 0, "discarded": 0, "attempts": 0, "oldest_at": None}


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    shown = {("id" if name == "_id" else name): value for name, value in row.items()}
    return {name: time_text(value) if isinstance(value, datetime) else value for name, value in shown.items()}


def _text(value: bytes | None) -> str | None:
    return None if value is None else bytes(value).decode(errors="replace")


def _content(value: bytes | None) -> dict[str, Any]:
    try:
        return {"data": msgspec.json.decode(bytes(value or b"")), "raw": None}
    except (msgspec.DecodeError, UnicodeDecodeError):
        return {"data": None, "raw": bytes(value or b"").hex()}
