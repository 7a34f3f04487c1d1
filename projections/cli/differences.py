"""Differences that a verification has found, in words and for machines."""

from __future__ import annotations

from typing import Any

from projections.verification.against_log import Difference


def in_words(difference: Difference) -> str:
    """One line: where, what, and a few fields with what they are and should be."""
    where = f"{difference.document} {difference.path}".rstrip()
    if difference.error:
        return f"{where}: {difference.error}"
    fields = "; ".join(
        f"{name} is {_short(actual)}, not {_short(expected)}"
        for name, (expected, actual) in list(difference.fields.items())[:3]
    )
    return f"{where} {difference.kind}{': ' if fields else ''}{fields}"


def _short(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= 60 else f"{said[:59]}…"


def plain_difference(oracle: str, difference: Difference) -> dict[str, Any]:
    """Without the values, which may be personal; the fields' names are enough to look."""
    return {
        "oracle": oracle,
        "document": difference.document,
        "path": difference.path,
        "kind": difference.kind,
        "aggregate": difference.aggregate,
        "fields": sorted(difference.fields),
        "error": difference.error or None,
    }
