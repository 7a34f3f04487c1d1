"""Making a filler from names: what both the rebuild itself and its parallel processes use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from acme.bus import Topics
from acme.ports import event_log, subject_keys
from projections.rebuilding.fill import Filler
from projections.rebuilding.source import KafkaSource, LogSource, Source
from projections.registry import PROJECTIONS
from projections.runtime.applier import Applier
from projections.runtime.checkpoints import Stream
from projections.runtime.settings import DEFAULT
from queries.documents.connection import database

LOG, KAFKA = "log", "kafka"


@contextmanager
def filler_of(
    name: str,
    generation: int,
    streams: list[Stream],
    *,
    source: str = LOG,
    bootstrap: str = "",
    check: Callable[[], None] = lambda: None,
) -> Iterator[Filler]:
    """``bootstrap`` is needed for the source kafka only. Raises `acme.bus.BusUnavailable`."""
    log, identities = event_log(), {}
    if source == KAFKA:
        topics = Topics(bootstrap)
        try:
            identities = topics.identities(sorted({topic for topic, _ in streams}))
        finally:
            topics.close()
    reader: Source = KafkaSource(bootstrap, streams, identities) if source == KAFKA else LogSource(log)
    applier = Applier(PROJECTIONS[name], generation, database(), subject_keys().unseal, limits=DEFAULT.limits)
    try:
        yield Filler(applier, reader, log, streams, identities=identities, check=check)
    finally:
        reader.close()
