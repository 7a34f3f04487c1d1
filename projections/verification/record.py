"""The last verification of each projection, kept for alerts: what an operator or the nightly check has found."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pymongo.database import Database

from projections.verification.verify import Verification

COLLECTION = "projection_verifications"
EXAMPLES = 5  # documents that are named
REMEMBERED = 1000  # documents that the next sample looks at again


def remember(store: Database[dict[str, Any]], found: Verification, *, by: str) -> None:
    """Replaces what was found before; a sample has looked at that again (`to_look_at`)."""
    rows = found.differences
    store[COLLECTION].replace_one(
        {"_id": found.projection},
        {
            "generation": found.generation,
            "at": datetime.now(UTC),
            "by": by,
            "sampled": found.sampled,
            "documents": found.log.documents,
            "differences": len(rows),
            "ids": sorted({d.document for _, d in rows})[:REMEMBERED],
            # Names only: values may be personal, and alerts travel.
            "examples": [f"{d.document} {d.path} {d.kind} ({oracle})" for oracle, d in rows[:EXAMPLES]],
        },
        upsert=True,
    )


def to_look_at(store: Database[dict[str, Any]], projection: str) -> list[str]:
    """Ids of documents in which the last verification found differences: a sample must not forget them."""
    row = store[COLLECTION].find_one({"_id": projection}, {"ids": 1}) or {}
    return list(row.get("ids", ()))
