"""The documents of a generation against a replay of the log, while workers go on.

Checkpoints are read first, then the documents, then the log. So a document has all events up to the checkpoints, and
says itself (version, fences, ``late``) which it has beyond them: it is compared with exactly these. What differs is
looked at again, since an operator's retry may have come in between.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pymongo.database import Database

from acme.contracts.envelope import Envelope, Unseal
from acme.ports import EventLog
from projections.runtime.checkpoints import Checkpoint, Checkpoints, Stream
from projections.runtime.documents import FIND_CHUNK
from projections.runtime.projection import Projection
from projections.runtime.writes import fence_name, late_name
from projections.verification.canonical import BOOKKEEPING, Document, at_path, canonical, differing
from projections.verification.replay import Replay
from queries.documents.connection import collection_name

CHUNK = 500  # events
LOOKS, PAUSE = 3, 1.0  # a difference counts when it is seen so often, so many seconds apart
Progress = Callable[[int, int], None]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """``kind``: missing, surplus, differs or refused (today's code cannot apply an event). ``fields``: (log, store)."""

    document: str
    path: str
    kind: str
    aggregate: str | None = None
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    error: str = ""


@dataclass(kw_only=True)
class Verified:
    """``documents`` were compared, with ``events`` of the log; ``parked`` aggregates wait, and so do their sections."""

    documents: int = 0
    events: int = 0
    parked: int = 0
    differences: list[Difference] = field(default_factory=list)


class AgainstLog:
    """One generation of one projection."""

    def __init__(
        self,
        store: Database[Document],
        log: EventLog,
        unseal: Unseal,
        projection: Projection,
        generation: int,
        *,
        pause: float = PAUSE,
        looks: int = LOOKS,
    ) -> None:
        """``looks``: how often a difference is looked at before it counts; once where differences are expected."""
        self._log, self._unseal, self._projection, self._pause, self._looks = log, unseal, projection, pause, looks
        self._collection = store[collection_name(projection.name, generation)]
        self._checkpoints = Checkpoints(store, projection.name, generation)

    def verify(self, only: set[str] | None = None, on_progress: Progress = lambda done, total: None) -> Verified:
        """All documents, or some by id. Raises engine failures."""
        result = self._look(only, on_progress)
        for _ in range(self._looks - 1):
            again = {difference.document for difference in result.differences}
            if not again:
                break
            time.sleep(self._pause)
            result.differences = self._look(again, lambda done, total: None).differences
        return result

    def _look(self, only: set[str] | None, on_progress: Progress) -> Verified:
        streams = [(head.topic, head.partition) for head in self._log.heads(self._projection.topics)]
        held = self._checkpoints.load(streams)
        look = _Look(self._projection, self._unseal, held, self._read(only), only)
        heads = {(h.topic, h.partition): h.sequence for h in self._log.heads(self._projection.topics)}
        done, total = 0, sum(heads.values())
        for (topic, partition), head in sorted(heads.items()):
            events = iter(self._log.read(topic, partition, 1, head))
            while chunk := list(islice(events, CHUNK)):
                look.take(chunk)
                done += len(chunk)
                on_progress(done, total)
            look.compare_sections()
        look.compare_rest()
        parked = sum(len(checkpoint.stopped) for checkpoint in held.values())
        return Verified(documents=len(look.actual), events=done, parked=parked, differences=look.differences)

    def _read(self, only: set[str] | None) -> dict[str, Document]:
        if only is None:
            return {str(document["_id"]): document for document in self._collection.find()}
        wanted, found = sorted(only), {}
        for start in range(0, len(wanted), FIND_CHUNK):
            chunk = {"_id": {"$in": wanted[start : start + FIND_CHUNK]}}
            found.update({str(document["_id"]): document for document in self._collection.find(chunk)})
        return found


class _Look:
    """One pass. Sections are compared partition by partition, since all events of an aggregate are in one."""

    def __init__(
        self,
        projection: Projection,
        unseal: Unseal,
        held: dict[Stream, Checkpoint],
        actual: dict[str, Document],
        only: set[str] | None,
    ) -> None:
        self._projection, self._held, self._only = projection, held, only
        self._replay = Replay(projection=projection, unseal=unseal)
        self._paths: dict[str, list[str]] = {}
        self.actual = actual
        self.differences: list[Difference] = []

    def take(self, events: Iterable[Envelope]) -> None:
        self._replay.add((event for event in events if self._is_in(event)), self._is_counted)

    def _passed_over(self, event: Envelope) -> bool:
        """Not in the read model as its checkpoint says: above it, or parked."""
        held = self._held.get((event.topic, event.partition))
        sequence = event.sequence or 0
        return held is None or sequence > held.sequence or sequence >= held.stopped.get(event.aggregate, sequence + 1)

    def _is_in(self, event: Envelope) -> bool:
        section = self._projection.sections.get(event.aggregate_type)
        if section is None:
            return event.aggregate_type in self._projection.counted
        try:
            document, path = section.locate(event)
        except KeyError:
            return not self._passed_over(event)
        if self._only is not None and document not in self._only:
            return False
        stored = (at_path(self.actual.get(document), path) or {}).get("version") or 0
        return event.aggregate_version <= stored or not self._passed_over(event)

    def _is_counted(self, event: Envelope, document: str) -> bool:
        if self._only is not None and document not in self._only:
            return False
        if not self._passed_over(event):
            return True
        stored = self.actual.get(document, {})
        fence = stored.get("fences", {}).get(fence_name(event.topic, event.partition), 0)
        held = self._held.get((event.topic, event.partition))
        parked = held is not None and event.aggregate in held.stopped
        return late_name(event) in stored.get("late", ()) or ((event.sequence or 0) <= fence and not parked)

    def compare_sections(self) -> None:
        """Those of the partition that was read; they are forgotten then."""
        for (key, path), section in self._replay.sections.items():
            self._paths.setdefault(key, []).append(path)
            actual = at_path(self.actual.get(key), path)
            if actual is None or (not path and key not in self.actual):
                if self._projection.headers_only is None:  # its documents expire
                    self._differs(key, path, "missing", section.aggregate)
                continue
            expected = canonical(section.value)
            found = canonical(actual)
            if not path:  # the root has what the others have too
                found = {name: value for name, value in found.items() if name in expected or not self._others(name)}
            if fields := differing(expected, found):
                self._differs(key, path, "differs", section.aggregate, fields)
        for aggregate, refusal in self._replay.refused.items():
            if not self._passed_over(refusal.envelope):
                self.differences.append(
                    Difference(document=aggregate, path="", kind="refused", aggregate=aggregate, error=refusal.error)
                )
        self._replay.sections.clear()
        self._replay.refused.clear()

    def _others(self, name: str) -> bool:
        """Whether a field of the root belongs to a section with a path."""
        return any(section.path.partition(".")[0] == name for section in self._projection.sections.values())

    def compare_rest(self) -> None:
        """Counters, computed fields, and what nobody has made."""
        for key in self.actual.keys() | self._replay.counters.keys():
            expected = canonical(self._replay.counters.get(key, {}))
            actual = self.actual.get(key)
            if actual is None:
                self._differs(key, "", "missing")
                continue
            rest = canonical(self._without_sections(key, actual))
            if not expected and not self._paths.get(key):
                if rest or at_path(actual, ""):
                    self._differs(key, "", "surplus")
            elif fields := differing(expected, rest):
                self._differs(key, "", "differs", None, fields)

    def _without_sections(self, key: str, actual: Document) -> Document:
        paths = self._paths.get(key, [])
        if "" in paths:
            return {}
        rest = {name: value for name, value in actual.items() if name != "_id" and name not in BOOKKEEPING}
        computed = {name for stage in self._projection.computed for name in stage["$set"]}
        right = self._recomputed(actual) if computed else {}
        rest = {n: v for n, v in rest.items() if n not in computed or (right is not None and right.get(n) != v)}
        for path in paths:
            rest = _without(rest, path.split("."))
        return rest

    def _recomputed(self, actual: Document) -> Document | None:
        """What the store computes, from the sections as they are; None where they are no sections any more."""
        again = copy.deepcopy(actual)
        try:
            if self._projection.recompute is not None:
                self._projection.recompute(again)
        except (AttributeError, KeyError, TypeError, ValueError):
            return None  # said as a difference of the section
        return again

    def _differs(
        self,
        document: str,
        path: str,
        kind: str,
        aggregate: str | None = None,
        fields: dict[str, tuple[Any, Any]] | None = None,
    ) -> None:
        self.differences.append(
            Difference(document=document, path=path, kind=kind, aggregate=aggregate, fields=fields or {})
        )


def _without(document: Document, path: list[str]) -> Document:
    """A copy without what stands at a path, and without parents that are empty then."""
    first, *rest = path
    if not isinstance(document, dict) or first not in document:
        return document
    left = {name: value for name, value in document.items() if name != first}
    if rest and (inner := _without(document[first], rest)):
        left[first] = inner
    return left
