"""Letting stopped aggregates go on: retry and discard of dead letters, resync of one aggregate. For the worker only.

All of it happens at or below the checkpoint, whose sequence never moves for it; that an aggregate goes on, or has come
further, is a compare-and-set of the names in the checkpoint. Order of writes: documents, checkpoint, letters, marker.
Whatever is repeated after a kill finds a version, a name in ``late``, or no letter.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import groupby
from uuid import UUID

from acme import metrics
from acme.contracts.envelope import Envelope, Undecodable
from acme.ports import EventLog
from projections.runtime.applier import Applier
from projections.runtime.bulk import Unwritable
from projections.runtime.checkpoints import Checkpoint, Stream
from projections.runtime.documents import Overtaken
from projections.runtime.fold import Fold, Refusal
from projections.runtime.letterbox import DISCARDED, PARKED
from projections.runtime.letters import Letter, envelope_of, failure
from projections.runtime.mending import may_go_on, stream_of
from projections.runtime.stopped import Stopped

NOT_TRIED = "not tried yet: it waited behind sequence {first}"


class ResyncFailed(Exception):
    """The aggregate cannot be made anew; nothing was changed. The message says why."""


class DocumentsAhead(Exception):
    """A batch, retry or discard is under way, or left its documents when it was killed: that must have gone on before a
    resync, which would take back what the checkpoint is about to tell."""


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Marked letters at the beginning of one stopped aggregate, in order."""

    marker: Stopped
    letters: list[Letter]
    events: list[Envelope]


class Recovery:
    """Carries out what operators asked, on the partitions that the applier holds."""

    def __init__(self, applier: Applier, log: EventLog) -> None:
        self._applier, self._log = applier, log
        self._letters, self._markers = applier.letters, applier.stopped_aggregates

    def not_yet(self) -> list[str]:
        """Stopped aggregates that no request can move now: some of their events are ahead of the checkpoint."""
        return sorted(self._applier.stopped.keys() - {marker.aggregate for marker in may_go_on(self._applier)})

    def retry(self, letters: list[Letter]) -> None:
        """Applies marked letters in order; of an aggregate that fails again the later ones are held.

        Raises `Overtaken` and engine failures; it is to be called again then.
        """
        again = [letter for letter in letters if "discarded_at" in letter]
        self._outcome(again, "failed", "it was discarded before: discard it again and resync its aggregate")
        letters = [letter for letter in letters if "discarded_at" not in letter]
        chosen = self._chosen(letters)
        events = [event for waiting in chosen for event in waiting.events]
        fold = self._applied(events)
        refused = {refusal.envelope.aggregate: refusal for refusal in fold.refusals}
        self._settle([(waiting, refused.get(waiting.marker.aggregate)) for waiting in chosen])

    def give_up(self, letters: list[Letter], error: Exception) -> None:
        """The store refuses what a request would write: its letters stay parked, or are again after a discard."""
        said = dict.fromkeys(("discarded_by", "discarded_reason", "discarded_at"), "")
        undone = {"$set": {"state": PARKED}, "$unset": said}
        self._letters.update((letter["_id"], undone) for letter in letters if "discarded_at" not in letter)
        self._outcome(letters, "failed", f"{type(error).__name__}: {error}")

    def discard(self, letters: list[Letter], *, by: str, reason: str) -> None:
        """Passes marked letters over for good; they are kept as discarded, and say that their aggregate has a gap."""
        chosen = self._chosen([letter for letter in letters if letter["aggregate"] is not None])
        now = self._applier.clock()
        note = {"state": DISCARDED, "discarded_by": by, "discarded_reason": reason, "discarded_at": now}
        kept = [letter["_id"] for waiting in chosen for letter in waiting.letters]
        kept += [letter["_id"] for letter in letters if letter["aggregate"] is None]
        # First: a letter whose aggregate goes on would be taken for one that was applied.
        self._letters.update((key, {"$set": note}) for key in kept)
        applier = self._applier
        applier.same_store()
        applier.writer.write_late(applier.writer.fold_discarded([e for w in chosen for e in w.events]))
        try:
            applier.same_store()
        except Overtaken:  # the documents may be where the notes are not
            self._letters.update((key, {"$set": note}) for key in kept)
            raise
        self._settle([(waiting, None) for waiting in chosen], keep=True)
        self._letters.update((key, {"$unset": {"request": ""}}) for key in kept)
        metrics.LETTERS_DISCARDED.labels(projection=applier.projection.name).inc(len(kept))

    def resync(self, aggregate: str) -> int:
        """Makes the aggregate's section anew from the log, and counts what was discarded of it; answers its events.

        Up to its first parked event, or to the checkpoint. Raises `ResyncFailed`, `DocumentsAhead`, `Overtaken` and
        engine failures.
        """
        applier = self._applier
        kind, _, key = aggregate.partition(":")
        marker = applier.stopped.get(aggregate)
        events = [e for e in self._log.read_aggregate(kind, UUID(key), 1) if self._is_in(e, marker)]
        if not events:
            raise ResyncFailed(f"the log has no events of {aggregate} up to the checkpoint")
        fold = applier.writer.fold_anew(events)
        if fold.refusals:
            refusal = fold.refusals[0]
            raise ResyncFailed(f"version {refusal.envelope.aggregate_version} still fails: {refusal.error}")
        made = events[-1].aggregate_version
        ahead = any((state.stored or 0) > made for state in fold.sections.values())
        later = ahead and list(self._log.read_aggregate(kind, UUID(key), made + 1))
        if later or (ahead and not self._is_logged((events[-1].topic, events[-1].partition))):
            raise DocumentsAhead(f"{aggregate}: its documents have events that the checkpoint held here has not")
        discarded = self._letters.discarded_of(aggregate)
        missing = {letter["sequence"] for letter in discarded}
        fold.counted = [(envelope, count) for envelope, count in fold.counted if envelope.sequence in missing]
        try:
            applier.writer.write_late(fold, replaced=True)
        except Unwritable as error:
            raise ResyncFailed(str(error)) from error
        in_now = {event.sequence for event in events}
        keys = [letter["_id"] for letter in discarded if letter["sequence"] in in_now]
        # A store that has lost the documents has lost this mark too, and keeps the letters.
        self._letters.update((key, {"$set": {"resynced": True}}) for key in keys)
        applier.same_store()
        self._letters.remove(keys, resynced=True)
        return len(events)

    def _is_logged(self, stream: Stream) -> bool:
        """Whether the log has the event that the checkpoint names; one that was just restored may not (yet)."""
        applied = self._applier.held[stream].applied
        found = self._log.event_ids([(*stream, sequence) for sequence, _ in applied])
        return all(str(found.get((*stream, sequence))) == event_id for sequence, event_id in applied)

    def _is_in(self, event: Envelope, marker: Stopped | None) -> bool:
        """At or below the checkpoint, and before what is parked."""
        sequence = event.sequence or 0
        held = self._applier.held[event.topic, event.partition]
        return sequence <= held.sequence and (marker is None or sequence < marker.first_sequence)

    def _chosen(self, letters: list[Letter]) -> list[Waiting]:
        """By aggregate; sets aside those that cannot be applied now, and those that have been already."""
        chosen: list[Waiting] = []
        stopped = self._applier.stopped
        self._look_at_records([letter for letter in letters if letter["aggregate"] is None])
        marked = [letter for letter in letters if letter["aggregate"] is not None]
        for aggregate, found in groupby(sorted(marked, key=_in_order), key=lambda letter: str(letter["aggregate"])):
            mine, marker = list(found), stopped.get(aggregate)
            first = marker.first_sequence if marker else self._applier.held[stream_of(mine[0])].sequence + 1
            self._settled([letter for letter in mine if letter["sequence"] < first])
            mine = [letter for letter in mine if letter["sequence"] >= first]
            if marker is None or not mine or marker.passed_to > self._applier.held[marker.stream].sequence:
                continue
            together = _without_hole(mine, first)
            rest = mine[len(together) :]
            self._outcome(rest, "held", f"an event of {aggregate} before it is parked and was not asked for")
            if together:
                events = [envelope_of(letter) for letter in together]
                chosen.append(Waiting(marker=marker, letters=together, events=events))
        return chosen

    def _settled(self, letters: list[Letter]) -> None:
        """What was carried out by somebody who was killed before the letters were told."""
        self._letters.remove(letter["_id"] for letter in letters if not _kept(letter))
        self._letters.update((letter["_id"], {"$unset": {"request": ""}}) for letter in letters if _kept(letter))

    def _look_at_records(self, letters: list[Letter]) -> None:
        """Records that were no event: the log has what they may have stood for, so one that can be read now is done."""
        for letter in letters:
            if letter["state"] == DISCARDED:
                continue
            try:
                envelope_of(letter)
            except Undecodable as error:
                change = {"$inc": {"attempts": 1}, "$set": {"last_at": self._applier.clock()}}
                self._letters.update([(letter["_id"], change)])
                self._outcome([letter], "failed", f"Undecodable: {error}")
            else:
                self._letters.remove([letter["_id"]])

    def _applied(self, events: list[Envelope]) -> Fold:
        """Folds and writes; an aggregate that cannot be written is applied event by event, up to the one at fault."""
        writer = self._applier.writer
        fold = writer.fold(events)
        if fold.refusals:
            self._applier.audit()
        try:
            writer.write_late(fold)
            return fold
        except Unwritable as error:
            writer.forget()
            culprits = set(error.errors)
        refusals = [self._first_unwritable(events, aggregate) for aggregate in sorted(culprits)]
        rest = self._applied([event for event in events if event.aggregate not in culprits])
        rest.refusals += [refusal for refusal in refusals if refusal is not None]
        return rest

    def _first_unwritable(self, events: list[Envelope], aggregate: str) -> Refusal | None:
        mine = [event for event in events if event.aggregate == aggregate]
        for number, event in enumerate(mine):
            fold = self._applier.writer.fold([event])
            try:
                self._applier.writer.write_late(fold)
            except Unwritable as error:
                self._applier.writer.forget()
                return Refusal.of(self._applier.projection.name, mine[number:], error.errors[aggregate])
            if fold.refusals:
                return replace(fold.refusals[0], held=tuple(mine[number + 1 :]))
        return None

    def _settle(self, outcomes: list[tuple[Waiting, Refusal | None]], *, keep: bool = False) -> None:
        """After the documents: aggregates without any letter left go on, the others wait before their next one."""
        moves = {waiting.marker.aggregate: self._next(waiting, refusal) for waiting, refusal in outcomes}
        self._move_checkpoints(moves)
        free: list[Stopped] = []
        done: list[str] = []
        for waiting, refusal in outcomes:
            following = moves[waiting.marker.aggregate]
            if following is None:
                free.append(waiting.marker)
            else:
                self._wait_before(waiting, following, refusal)
            first = following.first_sequence if following else None
            done += [letter["_id"] for letter in waiting.letters if first is None or letter["sequence"] < first]
        if not keep:
            self._letters.remove(done)
            self._count("done", len(done))
        if not self._markers.forget(free):
            raise Overtaken("a stopped aggregate was passed over again while it was retried")
        for marker in free:
            del self._applier.stopped[marker.aggregate]

    def _next(self, waiting: Waiting, refusal: Refusal | None) -> Stopped | None:
        """The event before which the aggregate waits from now on; None when it goes on."""
        marker, last = waiting.marker, waiting.letters[-1]["sequence"]
        if refusal is not None:
            envelope = refusal.envelope
            return replace(
                marker,
                first_sequence=envelope.sequence or 0,
                first_version=envelope.aggregate_version,
                error=refusal.error,
                fingerprint=refusal.fingerprint,
            )
        if last >= marker.passed_to:
            return None
        following = self._letters.first_of(marker.aggregate, last)
        whole = following is not None and following["aggregate_version"] == waiting.events[-1].aggregate_version + 1
        if following is not None and whole:
            first, version = following["sequence"], following["aggregate_version"]
            error = NOT_TRIED.format(first=marker.first_sequence)
            return replace(marker, first_sequence=first, first_version=version, error=error)
        lost = list(self._log_has(marker, last))
        if lost:
            self._letters.park([], [(event, marker) for event in lost], {}, self._applier.clock())
            raise Overtaken(f"{marker.aggregate}: letters after sequence {last} were missing")
        return None

    def _log_has(self, marker: Stopped, after: int) -> Iterable[Envelope]:
        """Events of the aggregate between a sequence and the checkpoint."""
        kind, _, key = marker.aggregate.partition(":")
        to = self._applier.held[marker.stream].sequence
        return (e for e in self._log.read_aggregate(kind, UUID(key), 1) if after < (e.sequence or 0) <= to)

    def _move_checkpoints(self, aggregates: dict[str, Stopped | None]) -> None:
        applier = self._applier
        moves: dict[Stream, tuple[Checkpoint, Checkpoint]] = {}
        for aggregate, following in aggregates.items():
            stream = applier.stopped[aggregate].stream
            held, reached = moves.get(stream) or (applier.held[stream],) * 2
            names = {name: first for name, first in reached.stopped.items() if name != aggregate}
            if following is not None:
                names[aggregate] = following.first_sequence
            moves[stream] = held, replace(reached, stopped=names)
        changed = [(held, reached) for held, reached in moves.values() if held.stopped != reached.stopped]
        applier.checkpoints.advance(changed)
        applier.same_store()
        applier.checkpoints.confirm(reached for _, reached in changed)
        applier.held.update({reached.stream: reached for _, reached in changed})

    def _wait_before(self, waiting: Waiting, following: Stopped, refusal: Refusal | None) -> None:
        """Marker and letters of an aggregate that stays stopped, as its checkpoint has it already."""
        marker, first, now = waiting.marker, following.first_sequence, self._applier.clock()
        self._markers.move(marker, following, now)
        self._applier.stopped[marker.aggregate] = following
        left = [letter for letter in waiting.letters if letter["sequence"] >= first]
        moved = first != marker.first_sequence or marker.fingerprint != following.fingerprint
        # While the request goes on, all that wait behind would be written again with each chunk: n²/100 letters.
        if moved and (refusal is not None or not self._letters.is_next(following, waiting.letters[-1].get("request"))):
            self._letters.hold_behind(following)
        if refusal is None:
            self._letters.tried(following, {"error": following.error})
        else:
            self._letters.tried(following, {**failure(refusal), "last_at": now}, attempts=1)
            self._outcome(left[1:], "held", f"sequence {first} failed")
            self._outcome(left[:1], "failed", refusal.error)

    def _count(self, outcome: str, letters: int) -> None:
        metrics.LETTERS_RETRIED.labels(projection=self._applier.projection.name, outcome=outcome).inc(letters)

    def _outcome(self, letters: list[Letter], result: str, error: str) -> None:
        """The request is over for these letters."""
        self._count(result, len(letters))
        self._letters.update(
            (
                letter["_id"],
                {
                    "$set": {"outcome": {"request": letter.get("request"), "result": result, "error": error}},
                    "$unset": {"request": ""},
                },
            )
            for letter in letters
        )


def _in_order(letter: Letter) -> tuple[str, int]:
    return letter["aggregate"], letter["sequence"]


def _without_hole(letters: list[Letter], first: int) -> list[Letter]:
    """The first of these letters of one aggregate that follow one another without a version missing."""
    if not letters or letters[0]["sequence"] != first:
        return []
    version = letters[0]["aggregate_version"]
    for number, letter in enumerate(letters):
        if letter["aggregate_version"] != version + number:
            return letters[:number]
    return letters


def _kept(letter: Letter) -> bool:
    """Discarded letters say that their aggregate has a gap; only a resync takes them away."""
    return bool(letter["state"] == DISCARDED)
