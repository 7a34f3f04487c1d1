"""Documents as they are compared: without bookkeeping, keys in order, times as BSON keeps them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

#: What may differ between two runs over the same events: where in the stream things were, not what they say.
BOOKKEEPING = {"fences", "late", "late_revision", "topic", "partition", "sequence", "seen_at"}
Document = dict[str, Any]


def canonical(value: Any) -> Any:
    """Keys in order, bookkeeping left out, times to the millisecond (all that BSON keeps)."""
    if isinstance(value, dict):
        return {key: canonical(value[key]) for key in sorted(value) if key not in BOOKKEEPING}
    if isinstance(value, datetime):
        return value.replace(microsecond=value.microsecond // 1000 * 1000).timestamp()
    return [canonical(item) for item in value] if isinstance(value, list) else value


def at_path(document: Document | None, path: str) -> Document | None:
    """The section at a path (empty: the document itself, without its id); None where there is none."""
    found: Any = document
    for part in path.split(".") if path else ():
        found = found.get(part) if isinstance(found, dict) else None
    if not isinstance(found, dict):
        return None
    return {name: value for name, value in found.items() if name != "_id"}


def differing(expected: Document, actual: Document) -> dict[str, tuple[Any, Any]]:
    """Field → (expected, actual), of two canonical documents, where they are not the same."""
    names = sorted({*expected, *actual})
    return {n: (expected.get(n), actual.get(n)) for n in names if expected.get(n) != actual.get(n)}
