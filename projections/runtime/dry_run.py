"""A retry without writing: the letters are applied to copies of their documents, in memory, by this process's code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from acme.contracts.envelope import Unseal
from projections.runtime.letterbox import Selection, Store
from projections.runtime.projection import Projection


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """What a retry of one letter would come to. ``changed``: document id → the section or counts after it."""

    letter: str
    aggregate: str | None
    ok: bool
    error: str
    changed: dict[str, Any]


def dry_run(
    store: Store, projection: Projection, unseal: Unseal, selection: Selection, *, limit: int = 1000
) -> list[DryRun]:
    """At most ``limit`` letters, in order; after one that fails, the later ones of its aggregate are held."""
    raise NotImplementedError
