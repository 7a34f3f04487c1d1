"""From what arrives to what may be applied: the next sequences without hole or repetition, in one log epoch. Pure.

Kafka may deliver twice, start over, or lack a range; sequences are dense, so each of these is seen. A hole is filled
from the log; what nobody can supply stops the partition, it is never skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from uuid import UUID

import msgspec

from acme.contracts.envelope import Envelope
from projections.runtime.checkpoints import Checkpoint


class Arrived(msgspec.Struct, frozen=True, kw_only=True):
    """An event with the Kafka offset of its record; -1 when it was read from the log."""

    envelope: Envelope
    offset: int


class StreamBlocked(Exception):
    """Partitions cannot go on: somebody has to look. The message says why.

    ``kind`` is the reason in a word, for heartbeats and alerts; ``streams`` are the partitions where more than the one
    at hand are meant.
    """

    kind = "blocked"
    streams: Iterable[tuple[str, int]] = ()


class GapInLog(StreamBlocked):
    """Neither Kafka nor the log has the next sequence."""

    kind = "gap"


class EpochChanged(StreamBlocked):
    """The log was restored to an earlier moment and started a new epoch: the read model wants a rebuild."""

    kind = "epoch"


class LogRewritten(StreamBlocked):
    """Another event stands under the checkpoint's sequence: the log was restored and goes on in the same epoch."""

    kind = "rewritten"


#: Reads [first, last] of the partition from the log, in order.
Fill = Callable[[int, int], Iterable[Envelope]]


def take_in_order(held: Checkpoint, arrived: list[Arrived], fill: Fill, *, log_epoch: int, limit: int) -> list[Arrived]:
    """The events to be applied next, contiguous from ``held``. ``log_epoch`` counts where nothing was applied yet.

    At most ``limit`` come from the log; what lies behind a longer hole is left. Raises `StreamBlocked` when the very
    next event cannot be had, with some good ones before the trouble it answers those and leaves the rest; and at once
    when there is an event of a newer epoch.
    """
    epoch = held.log_epoch if held.log_epoch is not None else log_epoch
    if held.witness is None and _as_expected(arrived, held.sequence, epoch):
        return arrived
    last, last_id, room = held.sequence, held.event_id, limit
    taken: list[Arrived] = []
    for item in arrived:
        if item.envelope.log_epoch > epoch:  # under whatever sequence: the log has another history
            _same_epoch(item.envelope, epoch)
    for item in sorted(arrived, key=lambda a: a.envelope.sequence or 0):
        sequence, item_epoch = item.envelope.sequence or 0, item.envelope.log_epoch
        if item_epoch == epoch and sequence == held.sequence:
            _same_event(item.envelope, held.event_id)
        if sequence <= last or item_epoch < epoch:
            continue
        try:
            hole = _filled(fill, last, last_id, min(sequence - 1, last + room), epoch, held.witness)
            _as_seen(item.envelope, held.witness)
        except StreamBlocked:
            if taken:
                return taken
            raise
        taken.extend(hole)
        if last + len(hole) + 1 < sequence:
            return taken
        room -= len(hole)
        taken.append(item)
        last, last_id = sequence, str(item.envelope.event_id)
    return taken


def _as_expected(arrived: list[Arrived], after: int, epoch: int) -> bool:
    """Whether these are the next events and nothing else, as nearly always."""
    for item in arrived:
        after += 1
        if item.envelope.sequence != after or item.envelope.log_epoch != epoch:
            return False
    return True


def first_left(arrived: list[Arrived], taken: list[Arrived]) -> int | None:
    """The offset from which Kafka has to be read once more, for what lies behind a hole that was too long."""
    if not taken:
        return None
    last = taken[-1].envelope
    same = [item for item in arrived if item.envelope.log_epoch == last.log_epoch]
    return min((item.offset for item in same if (item.envelope.sequence or 0) > (last.sequence or 0)), default=None)


def _filled(
    fill: Fill, after: int, after_id: str | None, last: int, epoch: int, witness: tuple[int, str] | None
) -> list[Arrived]:
    """The whole range above ``after`` from the log, in which the event ``after`` must be the one that was applied."""
    if last <= after:
        return []
    first = after if after_id is not None else after + 1
    found = []
    for number, envelope in enumerate(fill(first, last), start=first):
        if envelope.sequence != number:
            raise GapInLog(f"the log has no sequence {number} (wanted {after + 1} to {last})")
        _same_epoch(envelope, epoch)
        if number == after:
            _same_event(envelope, after_id)
        else:
            _as_seen(envelope, witness)
            found.append(Arrived(envelope=envelope, offset=-1))
    if len(found) != last - after:
        raise GapInLog(f"the log ends at sequence {after + len(found)} (wanted {after + 1} to {last})")
    return found


def _same_epoch(envelope: Envelope, epoch: int) -> None:
    if envelope.log_epoch != epoch:
        raise EpochChanged(_other_epoch(envelope.log_epoch, epoch))


def _other_epoch(log: int, mine: int) -> str:
    return f"the log is in epoch {log}, this read model in epoch {mine}: projector rebuild"


def _same_event(envelope: Envelope, applied: str | None) -> None:
    if str(envelope.event_id) != applied:
        raise LogRewritten(f"sequence {envelope.sequence} was event {applied} and is {envelope.event_id} now")


def _as_seen(envelope: Envelope, witness: tuple[int, str] | None) -> None:
    if witness is not None and envelope.sequence == witness[0]:
        _same_event(envelope, witness[1])


def check_logged(held: Checkpoint, logged: Mapping[int, UUID], *, log_epoch: int) -> None:
    """Raises unless the log has what was applied. ``logged``: sequence → the event that it has there now."""
    for sequence, event_id in held.applied:
        found = logged.get(sequence)
        if str(found) != event_id:
            if held.log_epoch is not None and held.log_epoch != log_epoch:
                raise EpochChanged(_other_epoch(log_epoch, held.log_epoch))
            raise LogRewritten(f"sequence {sequence} was event {event_id} and is {found or 'not there'} now")


def read_ahead(held: Checkpoint, head: int, fill: Fill, *, log_epoch: int, limit: int) -> list[Arrived]:
    """The next events straight from the log, up to ``head`` and at most ``limit``. Raises like `take_in_order`."""
    epoch = held.log_epoch if held.log_epoch is not None else log_epoch
    last = min(head, held.sequence + limit)
    return _filled(fill, held.sequence, held.event_id, last, epoch, held.witness)
