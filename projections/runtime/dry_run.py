"""A retry without writing: the letters are applied to copies of their documents, in memory, by this process's code."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from acme.contracts.envelope import Envelope, Undecodable, Unseal
from projections.runtime.fold import group_by_aggregate
from projections.runtime.generations import live_of
from projections.runtime.letterbox import IN_ORDER, LETTERS, Selection, Store
from projections.runtime.letters import envelope_of
from projections.runtime.projection import Projection
from projections.runtime.writer import Writer
from queries.documents.connection import collection_name


@dataclass(frozen=True, kw_only=True)
class DryRun:
    """What a retry of one letter would come to.

    ``changed``: document id → the aggregate's section after all of its letters here, or the amounts that are counted.
    """

    letter: str
    aggregate: str | None
    ok: bool
    error: str = ""
    changed: dict[str, Any] = field(default_factory=dict)


def dry_run(
    store: Store, projection: Projection, unseal: Unseal, selection: Selection, *, limit: int = 1000
) -> list[DryRun]:
    """At most ``limit`` letters, in order; after one that fails, the later ones of its aggregate are held."""
    rows = store[LETTERS].find(selection.filter(store, projection.name)).sort(IN_ORDER).limit(limit)
    keys: dict[tuple[str, int | None], str] = {}
    events: list[Envelope] = []
    found: list[DryRun] = []
    for letter in rows:
        try:
            envelope = envelope_of(letter)
        except Undecodable as error:
            found.append(DryRun(letter=letter["_id"], aggregate=None, ok=False, error=f"Undecodable: {error}"))
            continue
        if letter["aggregate"] is None:
            found.append(DryRun(letter=letter["_id"], aggregate=None, ok=True))
            continue
        keys[envelope.aggregate, envelope.sequence] = str(letter["_id"])
        events.append(envelope)
    collection = store[collection_name(projection.name, live_of(store, projection.name))]
    fold = Writer(projection, collection, unseal).fold(events)
    refused = {refusal.envelope.aggregate: refusal for refusal in fold.refusals}
    changed: dict[str, dict[str, Any]] = {}
    for state in fold.sections.values():
        changed.setdefault(state.aggregate, {})[state.document] = state.value
    for envelope, count in fold.counted:
        changed.setdefault(envelope.aggregate, {})[count.document] = dict(count.add)
    for mine in group_by_aggregate(events):
        aggregate = mine[0].aggregate
        refusal = refused.get(aggregate)
        for envelope in mine:
            first = refusal.envelope.sequence if refusal else None
            why = ""
            if refusal and (envelope.sequence or 0) >= (first or 0):
                why = refusal.error if envelope.sequence == first else f"waits behind sequence {first}"
            after = {} if why else changed.get(aggregate, {})
            key = keys[aggregate, envelope.sequence]
            found.append(DryRun(letter=key, aggregate=aggregate, ok=not why, error=why, changed=after))
    return found
