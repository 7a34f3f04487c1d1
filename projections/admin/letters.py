"""The letters of several projections as one list that can be paged without reading it whole."""

from __future__ import annotations

from typing import Any

from projections.admin.forms import FilterForm
from projections.runtime.letterbox import (
    DISCARDED,
    LETTERS,
    PARKED,
    Selection,
    Store,
    count_letters,
    find_letters,
)


def counted(store: Store, groups: list[dict[str, Any]], form: FilterForm) -> dict[str, int]:
    """Projection → letters that the filter finds; ``groups`` of `statistics` know it, except by aggregate."""
    selection, state = form.selection, form.wanted_state
    if selection.aggregate:
        return {name: count_letters(store, name, selection, state=state) for name in form.names}
    found = dict.fromkeys(form.names, 0)
    for group in groups:
        if selection.fingerprint in {None, group["fingerprint"]}:
            found[group["projection"]] += group["discarded" if state == DISCARDED else "letters"]
    return found


class LetterList:
    """For Django's paginator: ``count()`` and slices. Projection after projection, in the order of the stream."""

    def __init__(self, store: Store, counts: dict[str, int], selection: Selection, state: str) -> None:
        self._store, self._selection, self._state = store, selection, state
        self._counts = counts

    def count(self) -> int:
        return sum(self._counts.values())

    def __len__(self) -> int:
        return self.count()

    def __getitem__(self, part: slice) -> list[dict[str, Any]]:
        skip, wanted = part.start or 0, (part.stop or 0) - (part.start or 0)
        found: list[dict[str, Any]] = []
        for name, count in self._counts.items():
            if len(found) < wanted and skip < count:
                limit = wanted - len(found)
                found += find_letters(self._store, name, self._selection, state=self._state, limit=limit, skip=skip)
            skip = max(0, skip - count)
        return found


def behind(store: Store, letter: dict[str, Any], *, limit: int = 50) -> tuple[int, list[dict[str, Any]]]:
    """How many parked letters of its aggregate wait behind this one, and the first of them."""
    if letter.get("aggregate") is None or letter["sequence"] is None:
        return 0, []
    chosen = {name: letter[name] for name in ("projection", "generation", "aggregate")}
    later = {**chosen, "state": PARKED, "sequence": {"$gt": letter["sequence"]}}
    rows = store[LETTERS].find(later, {"sequence": 1, "event_type": 1, "aggregate_version": 1, "held": 1})
    first = [{**row, "id": row["_id"]} for row in rows.sort("sequence").limit(limit)]
    return store[LETTERS].count_documents(later), first


def readable(letter: dict[str, Any]) -> dict[str, Any]:
    """The event's data without what is sealed, and whose it is: ``shown``, ``subject`` (None: nothing personal)."""
    data = letter.get("data")
    if not isinstance(data, dict) or "personal" not in data:
        return {"shown": data, "subject": None}
    personal = data["personal"] if isinstance(data["personal"], dict) else {}
    return {"shown": {**data, "personal": "(sealed)"}, "subject": personal.get("subject") or "unknown"}
