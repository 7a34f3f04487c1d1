"""From a fold to guarded updates: which fields, under which filter. Pure.

A section's update names the version that was read; a counter's update names, per partition, the fence that was read
and sets the new one. An insert is allowed only where the find saw nothing, and fails where somebody else was faster.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pymongo import UpdateOne

from acme.contracts.envelope import Envelope
from projections.runtime.fold import SectionState
from projections.runtime.projection import Count

Document = dict[str, Any]


def fence_name(topic: str, partition: int) -> str:
    """The field of a counter document's ``fences`` for one partition; topic names have dots, field names must not."""
    return f"{topic.replace('.', '-')}-{partition}"


def late_name(envelope: Envelope) -> str:
    """How an event that was counted below the fence is remembered in a document's ``late`` list."""
    return f"{fence_name(envelope.topic, envelope.partition)}-{envelope.sequence}"


def section_filter(states: list[SectionState]) -> Document:
    """One document, if all of these sections have the versions that were read."""
    filter_: Document = {"_id": states[0].document}
    for state in states:
        version = f"{state.path}.version" if state.path else "version"
        filter_[version] = {"$exists": False} if state.stored is None else state.stored
    return filter_


def section_update(states: list[SectionState], computed: tuple[Document, ...], *, seen: bool) -> UpdateOne:
    """One update of one document with all its changed sections, whose filter is the versions that were read."""
    filter_, values = section_filter(states), {}
    for state in states:
        if state.path:
            values[state.path] = state.value
        else:
            values.update(state.value)
    if not computed:
        return UpdateOne(filter_, {"$set": values}, upsert=not seen)
    # In a pipeline a string that begins with $ would be taken for a field: $literal keeps names as they are.
    literal = {path: {"$literal": value} for path, value in values.items()}
    return UpdateOne(filter_, [{"$set": literal}, *computed], upsert=not seen)


@dataclass(kw_only=True)
class CounterState:
    """One counter document: the fences the store has, what is to be added, and the fences to be set.

    ``passed``: fence → sequence of events that the document has already; ``passed_late``: those in its late list.
    """

    document: str
    seen: bool
    stored: Mapping[str, int]
    late: frozenset[str] = frozenset()
    late_revision: int | None = None
    fences: dict[str, int] = field(default_factory=dict)
    add: dict[str, int] = field(default_factory=dict)
    lowest: Document = field(default_factory=dict)
    highest: Document = field(default_factory=dict)
    static: Document = field(default_factory=dict)
    passed: dict[str, int] = field(default_factory=dict)
    passed_late: set[str] = field(default_factory=set)

    def count(self, envelope: Envelope, count: Count) -> bool:
        """Adds one event's count unless the document has it already; answers whether it did."""
        fence, sequence = fence_name(envelope.topic, envelope.partition), envelope.sequence or 0
        if late_name(envelope) in self.late:
            self.passed_late.add(late_name(envelope))
            return False
        if sequence <= self.stored.get(fence, 0):
            self.passed[fence] = max(sequence, self.passed.get(fence, 0))
            return False
        self.fences[fence] = max(sequence, self.fences.get(fence, 0))
        self.take(count)
        return True

    @property
    def has_passed(self) -> bool:
        """Whether any event was passed over."""
        return bool(self.passed or self.passed_late)

    def has_still(self, document: Document | None) -> bool:
        """Whether the document, read anew, has the events that were passed over."""
        known = document or {}
        fences = known.get("fences", {})
        return self.passed_late <= set(known.get("late", ())) and all(
            fences.get(fence, 0) >= sequence for fence, sequence in self.passed.items()
        )

    def take(self, count: Count) -> None:
        """Adds the amounts, without looking at fences."""
        for path, amount in count.add.items():
            self.add[path] = self.add.get(path, 0) + amount
        for path, value in count.lowest.items():
            self.lowest[path] = min(value, self.lowest.get(path, value))
        for path, value in count.highest.items():
            self.highest[path] = max(value, self.highest.get(path, value))
        self.static.update(count.static)

    def amounts(self) -> Document:
        """The update operators for the amounts."""
        operators = {"$inc": self.add, "$min": self.lowest, "$max": self.highest, "$setOnInsert": self.static}
        return {operator: dict(values) for operator, values in operators.items() if values}

    def update(self) -> UpdateOne:
        """Increment and fences in one update whose filter is the fences that were read."""
        filter_: Document = {"_id": self.document}
        for fence in self.fences:
            filter_[f"fences.{fence}"] = self.stored.get(fence, {"$exists": False})
        fences = {f"fences.{fence}": sequence for fence, sequence in self.fences.items()}
        return UpdateOne(filter_, {**self.amounts(), "$set": fences}, upsert=not self.seen)

    def late_update(self, names: list[str]) -> UpdateOne:
        """For events below the fence, which stays: their names go into ``late``, guarded by the list's revision.

        Not by their absence: that costs names × length of the list, half a second at ten thousand.
        """
        revision = {"$exists": False} if self.late_revision is None else self.late_revision
        filter_ = {"_id": self.document, "late_revision": revision}
        operators = self.amounts()
        operators["$inc"] = {**operators.get("$inc", {}), "late_revision": 1}
        return UpdateOne(filter_, {**operators, "$push": {"late": {"$each": names}}}, upsert=not self.seen)

    def kept(self, document: Document | None) -> Document:
        """The document as far as the runtime must know it after the write: its fences and late list."""
        known = {} if document is None else document
        return {**known, "_id": self.document, "fences": {**self.stored, **self.fences}}
