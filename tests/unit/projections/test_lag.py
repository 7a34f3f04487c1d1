"""Lag from documents alone: by stage, in events and in seconds, and unknown when nobody refreshes the heads."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from queries.documents.lag import Lag, compute_lag

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def head(sequence: int, published: int, *, seen: float = 0.5) -> dict[str, Any]:
    return {"topic": "t", "partition": 0, "sequence": sequence, "published": published, "seen_at": ago(seen)}


def lag(**given: Any) -> Lag:
    documents = {"heads": [], "checkpoints": [], "workers": [], "backlog": None, "stopped": 0, **given}
    return compute_lag("p", 1, topics=["t"], now=NOW, **documents)


def checkpoint(sequence: int) -> dict[str, Any]:
    return {"topic": "t", "partition": 0, "sequence": sequence, "recorded_at": ago(60)}


def test_by_stage() -> None:
    found = lag(
        heads=[head(10, 8)],
        checkpoints=[checkpoint(5)],
        backlog={"events": 3, "oldest_recorded_at": ago(1)},
        stopped=2,
    )
    assert (found.unnumbered, found.unacknowledged, found.unprojected, found.stopped_aggregates) == (3, 2, 3, 2)
    assert found.events == 8


def test_seconds_since_the_oldest_unapplied_event_was_recorded() -> None:
    workers = [{"partitions": [{"topic": "t", "partition": 0, "sequence": 5, "oldest_unapplied_at": ago(7)}]}]
    found = lag(heads=[head(10, 10)], checkpoints=[checkpoint(5)], workers=workers)
    assert found.seconds == 7
    assert found.as_of == ago(7)


def test_a_worker_that_saw_another_checkpoint_is_not_believed() -> None:
    workers = [{"partitions": [{"topic": "t", "partition": 0, "sequence": 4, "oldest_unapplied_at": ago(1)}]}]
    assert lag(heads=[head(10, 10)], checkpoints=[checkpoint(5)], workers=workers).seconds == 60


def test_caught_up_is_zero_and_as_of_the_heads() -> None:
    found = lag(heads=[head(5, 5)], checkpoints=[checkpoint(5)])
    assert (found.seconds, found.events, found.as_of, found.unknown) == (0, 0, ago(0.5), False)


def test_stale_or_missing_heads_make_it_unknown_not_zero() -> None:
    assert lag(heads=[head(5, 5, seen=60)], checkpoints=[checkpoint(5)]).unknown
    assert lag().unknown


def test_something_waits_but_nobody_knows_since_when() -> None:
    """A read model that was never filled, or whose worker never came, is not complete up to now."""
    found = lag(heads=[head(10, 10)])
    assert (found.unprojected, found.seconds, found.as_of) == (10, None, None)


def test_an_idle_night_is_no_lag() -> None:
    """A worker that has seen nothing after its checkpoint says that the next event was recorded later."""
    workers = [{"complete_to": ago(2), "partitions": [{"topic": "t", "partition": 0, "sequence": 5}]}]
    yesterday = {**checkpoint(5), "recorded_at": ago(36_000)}
    found = lag(heads=[head(6, 6)], checkpoints=[yesterday], workers=workers)
    assert (found.seconds, found.as_of, found.unknown) == (2, ago(2), False)


def test_complete_only_up_to_what_was_numbered_when_the_heads_were_read() -> None:
    """The backlog may have been read again since; an event of it that the heads do not have is not in either."""
    heads = [{**head(5, 5), "complete_to": ago(3)}]
    found = lag(heads=heads, checkpoints=[checkpoint(5)], backlog={"events": 0, "oldest_recorded_at": None})
    assert (found.seconds, found.as_of) == (0, ago(3))
