"""What may be applied next: contiguous, once, in one epoch, whatever Kafka delivers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acme.contracts.envelope import Envelope
from projections.runtime.checkpoints import Checkpoint
from projections.runtime.intake import Arrived, EpochChanged, GapInLog, read_ahead, take_in_order

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def event(sequence: int, epoch: int = 1) -> Envelope:
    return Envelope(
        event_id=UUID(int=sequence),
        topic="acme.orders",
        partition=3,
        sequence=sequence,
        aggregate_type="order",
        aggregate_id=UUID(int=7),
        aggregate_version=sequence,
        event_type="OrderCompleted",
        schema_version=1,
        data={},
        personal=None,
        occurred_at=NOW,
        recorded_at=NOW,
        log_epoch=epoch,
    )


def at(sequence: int, epoch: int | None = 1) -> Checkpoint:
    held = Checkpoint(topic="acme.orders", partition=3)
    return replace(held, sequence=sequence, log_epoch=epoch, event_id="x") if sequence else held


def arrived(*sequences: int, epoch: int = 1) -> list[Arrived]:
    return [Arrived(envelope=event(number, epoch), offset=number + 100) for number in sequences]


def log_of(*sequences: int, epoch: int = 1):
    return lambda first, last: [event(number, epoch) for number in sequences if first <= number <= last]


def numbers(taken: list[Arrived]) -> list[int | None]:
    return [item.envelope.sequence for item in taken]


@given(held=st.integers(0, 30), delivered=st.lists(st.integers(1, 40), max_size=60))
def test_contiguous_from_the_checkpoint_whatever_is_delivered(held: int, delivered: list[int]) -> None:
    taken = numbers(take_in_order(at(held), arrived(*delivered), log_of(*range(1, 41)), log_epoch=1))
    beyond = [number for number in delivered if number > held]
    assert taken == list(range(held + 1, max(beyond) + 1)) if beyond else taken == []


def test_offsets_only_of_what_came_from_kafka() -> None:
    taken = take_in_order(at(2), arrived(3, 6), log_of(4, 5), log_epoch=1)
    assert [(item.envelope.sequence, item.offset) for item in taken] == [(3, 103), (4, -1), (5, -1), (6, 106)]


def test_a_gap_that_nobody_can_fill_is_never_skipped() -> None:
    with pytest.raises(GapInLog):
        take_in_order(at(2), arrived(5), log_of(3), log_epoch=1)
    assert numbers(take_in_order(at(2), arrived(3, 6), log_of(4), log_epoch=1)) == [3]


def test_old_epochs_are_passed_over_and_new_ones_stop_the_partition() -> None:
    assert take_in_order(at(2, epoch=2), arrived(3, epoch=1), log_of(), log_epoch=2) == []
    with pytest.raises(EpochChanged):
        take_in_order(at(2, epoch=1), arrived(3, epoch=2), log_of(), log_epoch=2)
    # Where nothing was applied yet the log's epoch counts: what Kafka has of an older one is read from the log.
    fresh = take_in_order(at(0), [*arrived(1, epoch=1), *arrived(2, epoch=2)], log_of(1, 2, epoch=2), log_epoch=2)
    assert [item.envelope.log_epoch for item in fresh] == [2, 2]


def test_reading_ahead_stops_at_the_head_and_the_limit() -> None:
    log = log_of(*range(1, 100))
    assert numbers(read_ahead(at(3), 6, log, log_epoch=1, limit=50)) == [4, 5, 6]
    assert numbers(read_ahead(at(3), 60, log, log_epoch=1, limit=2)) == [4, 5]
    with pytest.raises(GapInLog):
        read_ahead(at(3), 6, log_of(4, 5), log_epoch=1, limit=50)
