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
from projections.runtime.intake import (
    Arrived,
    EpochChanged,
    GapInLog,
    LogRewritten,
    check_logged,
    first_left,
    read_ahead,
    take_in_order,
)

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
    return replace(held, sequence=sequence, log_epoch=epoch, event_id=str(UUID(int=sequence))) if sequence else held


def arrived(*sequences: int, epoch: int = 1) -> list[Arrived]:
    return [Arrived(envelope=event(number, epoch), offset=number + 100) for number in sequences]


def log_of(*sequences: int, epoch: int = 1):
    return lambda first, last: [event(number, epoch) for number in sequences if first <= number <= last]


def numbers(taken: list[Arrived]) -> list[int | None]:
    return [item.envelope.sequence for item in taken]


@given(held=st.integers(0, 30), delivered=st.lists(st.integers(1, 40), max_size=60))
def test_contiguous_from_the_checkpoint_whatever_is_delivered(held: int, delivered: list[int]) -> None:
    taken = numbers(take_in_order(at(held), arrived(*delivered), log_of(*range(1, 41)), log_epoch=1, limit=99))
    beyond = [number for number in delivered if number > held]
    assert taken == list(range(held + 1, max(beyond) + 1)) if beyond else taken == []


def test_offsets_only_of_what_came_from_kafka() -> None:
    taken = take_in_order(at(2), arrived(3, 6), log_of(3, 4, 5), log_epoch=1, limit=99)
    assert [(item.envelope.sequence, item.offset) for item in taken] == [(3, 103), (4, -1), (5, -1), (6, 106)]


def test_a_gap_that_nobody_can_fill_is_never_skipped() -> None:
    with pytest.raises(GapInLog):
        take_in_order(at(2), arrived(5), log_of(2, 3), log_epoch=1, limit=99)
    assert numbers(take_in_order(at(2), arrived(3, 6), log_of(3, 4), log_epoch=1, limit=99)) == [3]


def test_old_epochs_are_passed_over_and_new_ones_stop_the_partition() -> None:
    assert take_in_order(at(2, epoch=2), arrived(3, epoch=1), log_of(), log_epoch=2, limit=99) == []
    with pytest.raises(EpochChanged):
        take_in_order(at(2, epoch=1), arrived(3, epoch=2), log_of(), log_epoch=2, limit=99)
    with pytest.raises(EpochChanged):  # not passed over because its sequence was applied in the old epoch
        take_in_order(at(2, epoch=1), [*arrived(3, epoch=1), *arrived(1, epoch=2)], log_of(), log_epoch=2, limit=99)
    # Where nothing was applied yet the log's epoch counts: what Kafka has of an older one is read from the log.
    fresh = take_in_order(
        at(0), [*arrived(1, epoch=1), *arrived(2, epoch=2)], log_of(1, 2, epoch=2), log_epoch=2, limit=99
    )
    assert [item.envelope.log_epoch for item in fresh] == [2, 2]


def test_reading_ahead_stops_at_the_head_and_the_limit() -> None:
    log = log_of(*range(1, 100))
    assert numbers(read_ahead(at(3), 6, log, log_epoch=1, limit=50)) == [4, 5, 6]
    assert numbers(read_ahead(at(3), 60, log, log_epoch=1, limit=2)) == [4, 5]
    with pytest.raises(GapInLog):
        read_ahead(at(3), 6, log_of(3, 4, 5), log_epoch=1, limit=50)


def test_a_long_hole_is_filled_piece_by_piece() -> None:
    """Whatever is missing, memory stays bounded; what Kafka has behind the hole is read once more."""
    found = arrived(3, 9, 10)
    taken = take_in_order(at(2), found, log_of(*range(1, 20)), log_epoch=1, limit=2)
    assert numbers(taken) == [3, 4, 5]
    assert first_left(found, taken) == 109
    taken = take_in_order(at(5), found[1:], log_of(*range(1, 20)), log_epoch=1, limit=3)
    assert numbers(taken) == [6, 7, 8, 9, 10]
    assert first_left(found, taken) is None


def test_records_of_another_epoch_are_not_read_again() -> None:
    found = [*arrived(3, epoch=2), *arrived(9, epoch=1)]
    assert first_left(found, take_in_order(at(2, epoch=2), found, log_of(), log_epoch=2, limit=9)) is None


def test_another_event_under_the_checkpoint_stops_the_partition() -> None:
    """PostgreSQL was restored and goes on in the same epoch; its Kafka came back empty, or has said nothing yet."""
    other = replace(at(3), event_id=str(UUID(int=77)))
    for attempt in (
        lambda: take_in_order(other, arrived(2, 3, 4), log_of(), log_epoch=1, limit=9),
        lambda: take_in_order(other, arrived(5), log_of(3, 4), log_epoch=1, limit=9),
        lambda: read_ahead(other, 5, log_of(3, 4, 5), log_epoch=1, limit=9),
    ):
        with pytest.raises(LogRewritten):
            attempt()


def test_another_event_where_a_lost_batch_had_come_to_stops_the_partition() -> None:
    """The store has lost a tail, so the checkpoint was set back; documents may have more than it says."""
    held = replace(at(2), witness=(4, str(UUID(int=77))))
    assert numbers(take_in_order(held, arrived(3, 4), log_of(), log_epoch=1, limit=9)) == [3]
    for attempt in (
        lambda: take_in_order(replace(held, sequence=3), arrived(4), log_of(), log_epoch=1, limit=9),
        lambda: read_ahead(held, 4, log_of(2, 3, 4), log_epoch=1, limit=9),
    ):
        with pytest.raises(LogRewritten):
            attempt()
    same = replace(held, witness=(4, str(UUID(int=4))))
    assert numbers(take_in_order(same, arrived(3, 4, 5), log_of(), log_epoch=1, limit=9)) == [3, 4, 5]


def test_the_log_must_have_what_was_applied() -> None:
    held = replace(at(2), witness=(4, str(UUID(int=4))))
    check_logged(at(0), {}, log_epoch=1)
    check_logged(held, {2: UUID(int=2), 4: UUID(int=4)}, log_epoch=1)
    for logged in ({2: UUID(int=2)}, {2: UUID(int=77), 4: UUID(int=4)}, {}):
        with pytest.raises(LogRewritten):
            check_logged(held, logged, log_epoch=1)
        with pytest.raises(EpochChanged):
            check_logged(held, logged, log_epoch=2)
