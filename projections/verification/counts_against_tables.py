"""What an aggregate's events count, against what its state tables say that they must have counted.

Documents of counters have no section to compare with a table. But `AgainstLog` shows that a document is the sum of what
the events count, and here, for one aggregate after the other, what its events count is compared with its tables: so the
documents are what the tables say, without a moment at which both would have to stand still. The table's version says
which of the events are in it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import islice, takewhile
from typing import Any
from uuid import UUID

from acme.contracts.envelope import Envelope, Unseal
from acme.ports import AggregateStates, EventLog
from projections.runtime.documents import FIND_CHUNK
from projections.runtime.fold import fold_batch, group_by_aggregate
from projections.runtime.projection import Count, Projection
from projections.verification.against_log import Difference
from projections.verification.against_tables import Compared

MISCOUNTED = "miscounted"
Sums = dict[str, int]  # document and path → amount
Progress = Callable[[int], None]


class CountsAgainstTables:
    """The counting of one projection; nothing is compared where it counts nothing."""

    def __init__(self, log: EventLog, states: AggregateStates, unseal: Unseal, projection: Projection) -> None:
        self._log, self._states, self._unseal, self._projection = log, states, unseal, projection

    def verify(
        self, ids: Callable[[str], Iterable[UUID]], result: Compared, on_progress: Progress = lambda done: None
    ) -> None:
        """Adds to the result. ``ids``: those of an aggregate type that are looked at. Raises engine failures."""
        for aggregate_type in sorted(self._projection.from_state):
            wanted = iter(ids(aggregate_type))
            while chunk := list(islice(wanted, FIND_CHUNK)):
                for key, state in self._states.states(aggregate_type, chunk).items():
                    self._aggregate(aggregate_type, key, state, result)
                on_progress(result.sections + result.behind + result.counted)

    def _aggregate(self, aggregate_type: str, key: UUID, state: dict[str, Any], result: Compared) -> None:
        version = state["version"]
        events = list(
            takewhile(lambda e: e.aggregate_version <= version, self._log.read_aggregate(aggregate_type, key, 1))
        )
        if len(events) < version:  # the last ones have no number yet
            result.behind += 1
            return
        found = self._of_events(events)
        if found is None:
            return
        result.counted += 1
        handler = self._projection.from_state[aggregate_type]
        expected = _sums(handler(self._projection.instance, state))
        fields = {place: (expected.get(place, 0), found.get(place, 0)) for place in sorted({*expected, *found})}
        wrong = {place: both for place, both in fields.items() if both[0] != both[1]}
        if wrong:
            name = f"{aggregate_type}:{key}"
            result.differences.append(
                Difference(document=str(key), path="", kind=MISCOUNTED, aggregate=name, fields=wrong)
            )

    def _of_events(self, events: list[Envelope]) -> Sums | None:
        """What the projection's handlers count; None where they fail: such an event is parked, or `AgainstLog` says."""
        fold = fold_batch(self._projection, group_by_aggregate(events), _new_section, self._unseal)
        return None if fold.refusals else _sums(count for _, count in fold.counted)


def _new_section(document: str, path: str) -> dict[str, Any]:
    """Every fold begins with the aggregate's first event."""
    return {}


def _sums(counts: Iterable[Count]) -> Sums:
    """Amounts that are not nothing."""
    sums: Counter[str] = Counter()
    for count in counts:
        sums.update({f"{count.document} {path}": amount for path, amount in count.add.items()})
    return {place: amount for place, amount in sums.items() if amount}
