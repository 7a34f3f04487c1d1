"""From what arrives to what may be applied: the next sequences without hole or repetition, in one log epoch. Pure.

Kafka may deliver twice, start over, or lack a range; sequences are dense, so each of these is seen. A hole is filled
from the log; what nobody can supply stops the partition, it is never skipped.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from acme.contracts.envelope import Envelope
from projections.runtime.checkpoints import Checkpoint


@dataclass(frozen=True, kw_only=True)
class Arrived:
    """An event with the Kafka offset of its record; -1 when it was read from the log."""

    envelope: Envelope
    offset: int


class StreamBlocked(Exception):
    """The partition cannot go on: somebody has to look. The message says why."""


class GapInLog(StreamBlocked):
    """Neither Kafka nor the log has the next sequence."""


class EpochChanged(StreamBlocked):
    """The log was restored to an earlier moment and started a new epoch: the read model wants a rebuild."""


#: Reads [first, last] of the partition from the log, in order.
Fill = Callable[[int, int], Iterable[Envelope]]


def take_in_order(held: Checkpoint, arrived: list[Arrived], fill: Fill, *, log_epoch: int) -> list[Arrived]:
    """The events to be applied next, contiguous from ``held``. ``log_epoch`` counts where nothing was applied yet.

    Raises `GapInLog` or `EpochChanged` when the very next event cannot be had; with some good ones before the trouble
    it answers those, and the next call meets the trouble again.
    """
    epoch = held.log_epoch if held.log_epoch is not None else log_epoch
    expected = held.sequence + 1
    taken: list[Arrived] = []
    for item in sorted(arrived, key=lambda a: a.envelope.sequence or 0):
        sequence = item.envelope.sequence or 0
        if sequence < expected or item.envelope.log_epoch < epoch:
            continue
        try:
            _same_epoch(item.envelope, epoch)
            if sequence > expected:
                taken.extend(_filled(fill, expected, sequence - 1, epoch))
        except StreamBlocked:
            if taken:
                return taken
            raise
        taken.append(item)
        expected = sequence + 1
    return taken


def _filled(fill: Fill, first: int, last: int, epoch: int) -> list[Arrived]:
    """The whole range from the log."""
    found = []
    for number, envelope in enumerate(fill(first, last), start=first):
        if envelope.sequence != number:
            raise GapInLog(f"the log has no sequence {number} (wanted {first} to {last})")
        _same_epoch(envelope, epoch)
        found.append(Arrived(envelope=envelope, offset=-1))
    if len(found) != last - first + 1:
        raise GapInLog(f"the log ends at sequence {first + len(found) - 1} (wanted {first} to {last})")
    return found


def _same_epoch(envelope: Envelope, epoch: int) -> None:
    if envelope.log_epoch != epoch:
        raise EpochChanged(f"the log is in epoch {envelope.log_epoch}, this read model in epoch {epoch}: rebuild it")


def read_ahead(held: Checkpoint, head: int, fill: Fill, *, log_epoch: int, limit: int) -> list[Arrived]:
    """The next events straight from the log, up to ``head`` and at most ``limit``. Raises like `take_in_order`."""
    epoch = held.log_epoch if held.log_epoch is not None else log_epoch
    return _filled(fill, held.sequence + 1, min(head, held.sequence + limit), epoch)
