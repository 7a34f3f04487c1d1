"""The log folded in memory: what the sections and counters of a projection must be.

It uses the projectors' handlers, but no batches of theirs, no fences, no versions read from a store. What it cannot
see, a handler's own mistake, the state tables see.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from acme.contracts.envelope import Envelope, Unseal
from projections.runtime.fold import Refusal, fold_batch, group_by_aggregate
from projections.runtime.projection import Count, Projection

Document = dict[str, Any]
Place = tuple[str, str]  # document id and path of a section
Counts = Callable[[Envelope, str], bool]


def always(_: Envelope, __: str) -> bool:
    """Every event is counted."""
    return True


@dataclass(kw_only=True)
class Section:
    """A section as the log makes it, and whose events did."""

    value: Document
    aggregate: str


@dataclass(kw_only=True)
class Replay:
    """Events of one projection, in any order that keeps each aggregate's. ``counters``: document id → its fields.

    ``refused``: aggregates that today's code cannot apply, with the first such event; nothing is folded after it.
    """

    projection: Projection
    unseal: Unseal
    sections: dict[Place, Section] = field(default_factory=dict)
    counters: dict[str, Document] = field(default_factory=dict)
    refused: dict[str, Refusal] = field(default_factory=dict)

    def add(self, envelopes: Iterable[Envelope], counts: Counts = always) -> None:
        """Folds further events; ``counts`` says whether an event is counted in a document."""
        wanted = [e for e in envelopes if e.aggregate not in self.refused]
        fold = fold_batch(self.projection, group_by_aggregate(wanted), self._section, self.unseal)
        for place, state in fold.sections.items():
            self.sections[place] = Section(value=state.value, aggregate=state.aggregate)
        for envelope, count in fold.counted:
            if counts(envelope, count.document):
                _count(self.counters.setdefault(count.document, {}), count)
        self.refused.update({refusal.envelope.aggregate: refusal for refusal in fold.refusals})

    def documents(self) -> dict[str, Document]:
        """Whole documents by id: sections, counters, and what the store computes across sections."""
        found: dict[str, Document] = {}
        for (key, path), section in self.sections.items():
            document = found.setdefault(key, {"_id": key})
            if path:
                _set(document, path, section.value)
            else:
                document.update(section.value)
        for key, fields in self.counters.items():
            found.setdefault(key, {"_id": key}).update(fields)
        for document in found.values():
            if self.projection.recompute is not None:
                self.projection.recompute(document)
        return found

    def _section(self, document: str, path: str) -> Document:
        known = self.sections.get((document, path))
        return copy.deepcopy(known.value) if known else {}


def _count(document: Document, count: Count) -> None:
    for path, value in count.static.items():
        _set(document, path, value)
    for path, amount in count.add.items():
        _set(document, path, _get(document, path, 0) + amount)
    for path, value in count.lowest.items():
        _set(document, path, min(value, _get(document, path, value)))
    for path, value in count.highest.items():
        _set(document, path, max(value, _get(document, path, value)))


def _get(document: Document, path: str, default: Any) -> Any:
    *parents, last = path.split(".")
    for part in parents:
        document = document.get(part, {})
    return document.get(last, default)


def _set(document: Document, path: str, value: Any) -> None:
    *parents, last = path.split(".")
    for part in parents:
        document = document.setdefault(part, {})
    document[last] = value
