"""After a take-over: what a killed or late worker has left is taken away, and what it could not write is completed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

from acme.ports import EventLog
from projections.runtime.applier import Applier
from projections.runtime.checkpoints import Stream
from projections.runtime.letterbox import DISCARDED
from projections.runtime.stopped import Stopped


def may_go_on(applier: Applier) -> list[Stopped]:
    """The stopped aggregates whose events the checkpoints have passed as far as any document has."""
    return [s for s in applier.stopped.values() if s.passed_to <= applier.held[s.stream].sequence]


def stream_of(letter: dict[str, Any]) -> Stream:
    """The partition of a letter."""
    return letter["topic"], letter["partition"]


class Mending:
    """Markers and letters of the partitions that the applier holds, made to say what its checkpoints say."""

    def __init__(self, applier: Applier, log: EventLog) -> None:
        self._applier, self._log = applier, log
        self._letters, self._markers = applier.letters, applier.stopped_aggregates

    def tidy(self) -> None:
        """Takes away letters of events that were applied, and stray markers; completes both from the log.

        A letter at or below the checkpoint whose aggregate is not stopped was applied. Letters above it are left
        alone: they may be those of a batch that another worker is writing.
        """
        applier = self._applier
        parked = self._letters.parked(applier.held)
        gone = [
            letter
            for letter in parked
            if letter["aggregate"] not in applier.stopped
            and letter["sequence"] <= applier.held[stream_of(letter)].sequence
        ]
        # One that was discarded and parked once more by somebody late still says that its aggregate has a gap.
        self._letters.remove(letter["_id"] for letter in gone if "discarded_at" not in letter)
        again = [letter["_id"] for letter in gone if "discarded_at" in letter]
        self._letters.update((key, {"$set": {"state": DISCARDED}}) for key in again)
        found = self._markers.load(applier.held)
        self._markers.forget(marker for marker in found.values() if applier.left_over(marker))
        first = {(letter["aggregate"], letter["sequence"]) for letter in parked}
        for marker in may_go_on(applier):
            if marker.first_version == 0 or (marker.aggregate, marker.first_sequence) not in first:
                self._complete(marker)

    def _complete(self, marker: Stopped) -> None:
        """Writes marker and letters of a stopped aggregate from the log, where a kill has left none."""
        kind, _, key = marker.aggregate.partition(":")
        applier, to = self._applier, self._applier.held[marker.stream].sequence
        events = self._log.read_aggregate(kind, UUID(key), 1)
        missing = [event for event in events if marker.first_sequence <= (event.sequence or 0) <= to]
        if missing:
            applier.stopped[marker.aggregate] = replace(marker, first_version=missing[0].aggregate_version)
        marker = applier.stopped[marker.aggregate]
        self._markers.mend(marker, applier.clock())
        self._letters.park([], [(event, marker) for event in missing], {}, applier.clock())
