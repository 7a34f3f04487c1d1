"""Filling a generation: the next events of each partition from a source, applied in batches as any worker does.

Nothing of it is faster and looser than a worker: the same applier with the same guards, so a kill at any moment, or a
second filler, changes nothing but the time it takes.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable

from acme.ports import EventLog, StreamHead
from projections.rebuilding.source import Source
from projections.runtime.applier import Applier
from projections.runtime.batch_size import BatchSize
from projections.runtime.checkpoints import Stream
from projections.runtime.documents import Overtaken
from projections.runtime.failures import is_engine_failure
from projections.runtime.intake import Arrived
from projections.runtime.mending import Mending
from projections.runtime.settings import DEFAULT

#: Events of the first batch, and of one at most; in between they follow the time that batches take, as a worker's do.
FIRST, BATCH = 250, 1000
#: Engines may be away for so long (seconds) without any progress; then the rebuild ends, and another run goes on.
PATIENCE = 60.0


class Filler:
    """Brings some partitions of one generation forward. Not thread-safe."""

    def __init__(
        self,
        applier: Applier,
        source: Source,
        log: EventLog,
        streams: list[Stream],
        *,
        identities: dict[str, str] | None = None,
        check: Callable[[], None] = lambda: None,
        patience: float = PATIENCE,
        at_once: int = BATCH,
    ) -> None:
        self.applier, self.streams = applier, streams
        self.check, self._source, self._log, self._patience = check, source, log, patience
        self._identities = identities or {}
        self._size = BatchSize(FIRST, smallest=DEFAULT.smallest_batch, largest=at_once, longest=DEFAULT.longest_batch)
        self._stale = True

    def fill(self, heads: dict[Stream, StreamHead] | None = None) -> int:
        """As far as the source goes up to the heads (default: those of now); answers how many events were taken.

        Raises `StreamBlocked` where the source lacks something, engine failures when they last, and what ``check``
        raises, which is asked between two batches.
        """
        taken, failing_since, pause = 0, 0.0, 0.05
        while True:
            self.check()
            try:
                wanted = heads if heads is not None else self.heads()
                done = self._batch(wanted)
                if done == 0 and self.reached(wanted):
                    return taken
                heads = wanted
                if done:  # a source that brings nothing may be away, and say so in the end
                    taken, failing_since, pause = taken + done, 0.0, 0.05
            except Exception as error:
                if not isinstance(error, Overtaken) and not is_engine_failure(error):
                    raise
                self._stale = True
                failing_since = failing_since or time.monotonic()
                if not isinstance(error, Overtaken) and time.monotonic() - failing_since > self._patience:
                    raise
                time.sleep(random.uniform(pause / 2, pause))  # noqa: S311 - jitter
                pause = min(2.0, pause * 2)

    def heads(self) -> dict[Stream, StreamHead]:
        """Of the filler's partitions, as the log says now."""
        topics = sorted({topic for topic, _ in self.streams})
        mine = set(self.streams)
        return {(h.topic, h.partition): h for h in self._log.heads(topics) if (h.topic, h.partition) in mine}

    def reached(self, heads: dict[Stream, StreamHead]) -> bool:
        """Whether all checkpoints are there."""
        held, end = self.applier.held, self._source.end
        return not self._stale and all(held[stream].sequence >= end(head) for stream, head in heads.items())

    def refresh(self) -> None:
        """Checkpoints as the store has them, whoever wrote them."""
        self.applier.reload(self.streams)
        Mending(self.applier, self._log).tidy()
        self._source.start(self.applier.held)
        self._stale = False

    def forget(self) -> None:
        """Nothing that is held is believed any more."""
        self._stale = True

    def leave(self, streams: set[Stream]) -> None:
        """Others have these from now on."""
        if streams & set(self.streams):
            self.streams = [stream for stream in self.streams if stream not in streams]
            self._stale = True

    def _batch(self, heads: dict[Stream, StreamHead]) -> int:
        if self._stale:
            self.refresh()
        batch: list[Arrived] = []
        for stream in self.streams:
            held, room = self.applier.held[stream], self._size.now - len(batch)
            if room <= 0:
                break
            if held.sequence < self._source.end(heads[stream]):
                batch.extend(self._source.next(held, heads[stream], room))
        if batch:
            with self._size.timed(len(batch)):
                self.applier.apply(batch, self._identities)
        self._stale = False
        return len(batch)
