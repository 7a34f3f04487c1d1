"""Guards of the product turned off, one at a time: each must make the model fail, or it could not see the defect."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from pymongo import UpdateOne

from commands.outbox import link, publisher
from projections.runtime import bulk, checkpoints, intake, requests, supply, writer, writes
from projections.runtime.applier import Applier
from projections.runtime.checkpoints import Checkpoint, Checkpoints
from projections.runtime.fold import SectionState
from projections.runtime.stopped import StoppedAggregates
from projections.runtime.writer import Writer
from projections.runtime.writes import CounterState

#: (where it is, name, what stands there instead)
Change = tuple[Any, str, Any]


def _by_key_alone(make: Callable[..., UpdateOne]) -> Callable[..., UpdateOne]:
    """An update that names only the document, nothing that was read of it."""

    def made(*arguments: Any, **named: Any) -> UpdateOne:
        update = make(*arguments, **named)
        return UpdateOne({"_id": update._filter["_id"]}, update._doc, upsert=True)

    return made


def _set_whatever_is_there(document: dict[str, Any]) -> UpdateOne:
    """In place of an insert."""
    values = {name: value for name, value in document.items() if name != "_id"}
    return UpdateOne({"_id": document["_id"]}, {"$set": values}, upsert=True)


def _whatever_comes(held: Any, arrived: list[Any], fill: Any, **_: Any) -> list[Any]:
    """In place of `take_in_order`: what is newer than the checkpoint, holes or not."""
    taken: dict[int, Any] = {}
    for item in arrived:
        if item.envelope.sequence > held.sequence:
            taken.setdefault(item.envelope.sequence, item)
    return [taken[sequence] for sequence in sorted(taken)]


def _cursor_first(self: Any, lane: Any, events: Any) -> int:
    """In place of `Publisher._send`: the cursor moves, then the events are sent."""
    last = {(event.topic, event.partition): event.sequence for event in events}
    cursors = lane.cursors()
    lane.move([replace(cursors[stream], published=sequence) for stream, sequence in last.items()])
    return int(SEND(self, lane, events))


def _checkpoint_first(self: Applier, batch: Any, identities: Any, meanwhile: Any) -> int:
    """In place of `Applier._apply`: the checkpoint moves before the documents are written."""
    moves = self._moved(batch, identities)
    self.checkpoints.advance((self.held[stream], reached) for stream, reached in moves.items())
    self.held.update(moves)
    fold = self._fold([item.envelope for item in batch], {})
    self.writer.write(fold)
    return fold.applied


def _counted_without_a_look(self: CounterState, *arguments: Any) -> bool:
    """In place of `CounterState.count`: what is passed over is forgotten."""
    counted = COUNT(self, *arguments)
    self.passed.clear()
    self.passed_late.clear()
    return bool(counted)


def _folded_whenever(self: Writer, envelopes: Any) -> Any:
    """In place of `Writer.fold`: documents that were read ahead count as read for this batch."""
    ahead, self._next = self._next, None
    return ahead[1] if ahead is not None and ahead[0] == envelopes else FOLD(self, envelopes)


def _nothing(*_: Any, **__: Any) -> None:
    """A check that never says no, or a write that is not made."""


SEND, COUNT, FOLD = publisher.Publisher._send, CounterState.count, Writer.fold

DEFECTS: dict[str, list[Change]] = {
    "checkpoints are written whatever was read": [(Checkpoints, "_move", _by_key_alone(Checkpoints._move))],
    "counts are added whatever fence was read": [(CounterState, "update", _by_key_alone(CounterState.update))],
    "sections are written whatever version was read": [
        (bulk, "section_update", _by_key_alone(writes.section_update)),
        (bulk, "section_filter", lambda states: {"_id": states[0].document}),
    ],
    "documents are made whatever is there": [(bulk, "InsertOne", _set_whatever_is_there)],
    "a store that was restarted is not noticed": [(checkpoints, "store_incarnation", lambda store: "")],
    "a counter document that was lost is taken for a new one": [(Applier, "_read_counters", _nothing)],
    "the checkpoint is written before the documents": [(Applier, "_apply", _checkpoint_first)],
    "a stopped aggregate has no marker": [(StoppedAggregates, "stop", _nothing)],
    "a batch does not say which aggregates it stopped": [(Applier, "_name_stopped", _nothing)],
    "late events are counted as often as they come": [
        (writes, "late_name", lambda envelope: "x"),
        (writer, "late_name", lambda envelope: str(id(envelope))),
    ],
    "holes are not noticed": [(supply, "take_in_order", _whatever_comes)],
    "a log that was restored is not noticed": [
        (intake, "_same_event", _nothing),
        (supply, "check_logged", _nothing),
    ],
    "the cursor moves before Kafka has the events": [(publisher.Publisher, "_send", _cursor_first)],
    "an emptied Kafka is not filled again": [(link, "resume", lambda cursor, seen, epoch, logged: cursor)],
    "what came after a checkpoint that was set back is forgotten": [
        (Checkpoint, "applied", property(lambda self: [(self.sequence, self.event_id)] if self.event_id else [])),
        (intake, "_as_seen", _nothing),
    ],
    "letters that a lost request has marked stay marked": [(requests, "_lost", lambda store, found: [])],
}
#: Where to begin to look. Without it, or when the schedules have changed, the search only takes longer.
HINTS = {
    "sections are written whatever version was read": 3175,
    "documents are made whatever is there": 655,
    "a store that was restarted is not noticed": 600,
    "a counter document that was lost is taken for a new one": 470,
    "what came after a checkpoint that was set back is forgotten": 1125,
    "letters that a lost request has marked stay marked": 7360,
}
#: What only a store that never tells shows, which the model has not (`tests.contract`).
SILENT: dict[str, list[Change]] = {
    "sections that have an event already are not looked at": [(SectionState, "passed", False)],
    "counters that have an event already are not looked at": [(CounterState, "count", _counted_without_a_look)],
    "what was read ahead is believed": [(Writer, "fold", _folded_whenever)],
}
#: What only a long search finds, longer than a test may take.
RARE: dict[str, list[Change]] = {
    "a new log epoch is not noticed": [(intake, "_same_epoch", _nothing)],
}


@contextmanager
def turned_off(name: str | None) -> Iterator[None]:
    """Without this guard; None: as the product is."""
    changes = {**DEFECTS, **RARE, **SILENT}[name] if name else []
    before = [(owner, attribute, getattr(owner, attribute)) for owner, attribute, _ in changes]
    for owner, attribute, value in changes:
        setattr(owner, attribute, value)
    try:
        yield
    finally:
        for owner, attribute, value in before:
            setattr(owner, attribute, value)
