"""From a fold to guarded updates: which fields, under which filter. Pure.

A section's update names the version that was read; a counter's update names, per partition, the fence that was read
and sets the new one. An insert is allowed only where the find saw nothing.

An event that is passed over, because the document has it already, is guarded no less: the update names what was read
and changes nothing. Else a store that went back to the very checkpoint that is held would be believed to have what only
memory has.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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


def section_updates(
    states: list[SectionState], computed: tuple[Document, ...], *, seen: bool, passed: Iterable[SectionState] = ()
) -> UpdateOne:
    """One update of one document with its changed sections, if any. ``seen``: the find saw the document.

    ``passed``: other sections of it, which have all of their events already.
    """
    filter_: Document = {}
    values: Document = {}
    for state in passed:
        filter_["_id"] = state.document
        filter_[state.version_path] = values[state.version_path] = state.stored
    for state in states:
        filter_["_id"] = state.document
        filter_[state.version_path] = {"$exists": False} if state.stored is None else state.stored
        if state.path:
            values[state.path] = state.value
        else:
            values.update(state.value)
    if not computed or not states:
        return UpdateOne(filter_, {"$set": values}, upsert=not seen)
    # In a pipeline a string that begins with $ would be taken for a field: $literal keeps names as they are.
    literal = {path: {"$literal": value} for path, value in values.items()}
    return UpdateOne(filter_, [{"$set": literal}, *computed], upsert=not seen)


@dataclass(kw_only=True)
class CounterState:
    """One counter document: the fences the store has, what is to be added, and the fences to be set.

    ``passed``: fences at or above events that came again; ``passed_late``: one of them is in the late list.
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
    passed: set[str] = field(default_factory=set)
    passed_late: bool = False

    def count(self, envelope: Envelope, count: Count) -> bool:
        """Adds one event's count unless the document has it already; answers whether it did."""
        fence, sequence = fence_name(envelope.topic, envelope.partition), envelope.sequence or 0
        if late_name(envelope) in self.late:
            self.passed_late = True
            return False
        if sequence <= self.stored.get(fence, 0):
            self.passed.add(fence)
            return False
        self.fences[fence] = max(sequence, self.fences.get(fence, 0))
        self.take(count)
        return True

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
        """Increment and fences in one update whose filter is the fences that were read, and the late list's revision
        where an event is in that list. What has come before changes nothing."""
        filter_: Document = {"_id": self.document}
        for fence in self.fences.keys() | self.passed:
            filter_[f"fences.{fence}"] = self.stored.get(fence, {"$exists": False})
        same = {}
        if self.passed_late:
            filter_["late_revision"] = self._revision()
            same = {"late_revision": self.late_revision}
        reached = {**{fence: self.stored[fence] for fence in self.passed}, **self.fences}
        fences = {f"fences.{fence}": sequence for fence, sequence in reached.items()}
        return UpdateOne(filter_, {**self.amounts(), "$set": {**fences, **same}}, upsert=not self.seen)

    def late_update(self, names: list[str]) -> UpdateOne:
        """For events below the fence, which stays: their names go into ``late``, guarded by the list's revision.

        Not by their absence: that costs names × length of the list, half a second at ten thousand. Without names, which
        are all there already, nothing changes.
        """
        filter_ = {"_id": self.document, "late_revision": self._revision()}
        if not names:
            return UpdateOne(filter_, {"$set": {"late_revision": self.late_revision}})
        operators = self.amounts()
        operators["$inc"] = {**operators.get("$inc", {}), "late_revision": 1}
        return UpdateOne(filter_, {**operators, "$push": {"late": {"$each": names}}}, upsert=not self.seen)

    def _revision(self) -> Any:
        return {"$exists": False} if self.late_revision is None else self.late_revision

    def kept(self, document: Document | None) -> Document:
        """The document as far as the runtime must know it after the write: its fences and late list."""
        known = {} if document is None else document
        return {**known, "_id": self.document, "fences": {**self.stored, **self.fences}}
