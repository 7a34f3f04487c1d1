"""Sections against the state tables of the write side: the oracle that does not share a projector's mistakes.

A section that mirrors its aggregate's state has fields of the same names and shapes. Only those are compared, and only
where both are of the same version: what lags behind is the log's to judge.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from pymongo.database import Database

from acme.ports import AggregateStates
from projections.runtime.documents import FIND_CHUNK
from projections.runtime.projection import Projection, Section
from projections.verification.against_log import LOOKS, PAUSE, Difference
from projections.verification.canonical import Document, at_path, differing
from queries.documents.connection import collection_name

TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
Progress = Callable[[int], None]


@dataclass(kw_only=True)
class Compared:
    """``sections`` of the same version were compared, and what the events of ``counted`` aggregates count; ``behind``
    ones are older than their table."""

    sections: int = 0
    counted: int = 0
    behind: int = 0
    differences: list[Difference] = field(default_factory=list)

    @property
    def compared(self) -> int:
        """States that were compared in one way or the other."""
        return self.sections + self.counted


class AgainstTables:
    """One generation of one projection; nothing is compared where no section mirrors a state."""

    def __init__(
        self,
        store: Database[Document],
        states: AggregateStates,
        projection: Projection,
        generation: int,
        *,
        pause: float = PAUSE,
    ) -> None:
        self._states, self._projection, self._pause = states, projection, pause
        self._collection = store[collection_name(projection.name, generation)]

    def verify(self, only: set[str] | None = None, on_progress: Progress = lambda done: None) -> Compared:
        """All aggregates, or those of some documents. Raises engine failures."""
        result = Compared()
        for section in self._projection.sections.values():
            if section.mirrors_state:
                self._section(section, only, result, on_progress)
        return result

    def _section(self, section: Section, only: set[str] | None, result: Compared, on_progress: Progress) -> None:
        ids = (str(key) for key in self._states.ids(section.aggregate)) if only is None else filter(is_id, sorted(only))
        seen: set[str] = set()
        while chunk := list(islice(ids, FIND_CHUNK)):
            seen.update(chunk)
            self._chunk(section, chunk, result)
            on_progress(result.sections + result.behind)
        if only is None:
            for key in self._without_table(section, seen):
                result.differences.append(Difference(document=key, path=section.path, kind="surplus"))

    def _without_table(self, section: Section, seen: set[str]) -> Iterator[str]:
        """Documents with this section whose aggregate no table has."""
        chosen = {f"{section.path}.version" if section.path else "version": {"$exists": True}}
        keys = (str(document["_id"]) for document in self._collection.find(chosen, {"_id": 1}))
        unseen = (key for key in keys if key not in seen)
        while chunk := list(islice(unseen, FIND_CHUNK)):
            there = self._states.states(section.aggregate, map(UUID, filter(is_id, chunk)))
            yield from (key for key in chunk if not is_id(key) or UUID(key) not in there)

    def _chunk(self, section: Section, keys: list[str], result: Compared) -> None:
        for look in range(LOOKS):
            if look:
                time.sleep(self._pause)
            found = {str(d["_id"]): d for d in self._collection.find({"_id": {"$in": keys}})}
            tables = self._states.states(section.aggregate, map(UUID, keys))
            again, differences, behind, compared = [], [], 0, 0
            for key in keys:
                table = tables.get(UUID(key))
                shown = at_path(found.get(key), section.path)
                if table is None and shown is None:
                    continue
                shown, table = shown or {}, table or {}
                if (shown.get("version") or 0) < (table.get("version") or 0):
                    behind += 1
                    continue
                compared += 1
                same = {name: shown.get(name) for name in table or shown}
                if fields := differing(_plain(table), _plain(same)):
                    again.append(key)
                    differences.append(
                        Difference(
                            document=key,
                            path=section.path,
                            kind="differs" if table else "surplus",
                            aggregate=f"{section.aggregate}:{key}",
                            fields=fields,
                        )
                    )
            if look == 0:
                result.sections += compared
                result.behind += behind
            keys = again
            if not keys:
                return
        result.differences += differences


def is_id(text: str) -> bool:
    """Whether a document's id is an aggregate's."""
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _plain(value: Any) -> Any:
    """Times as milliseconds since the epoch, whether they are text or moments."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str) and TIME.fullmatch(value):
        value = datetime.fromisoformat(value)
    return int(value.timestamp() * 1000) if isinstance(value, datetime) else value
