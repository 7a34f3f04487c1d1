"""Dead letters as a worker writes them: one for each event that is not applied, before any document of its batch.

A letter's key is the event's place in the stream, so parking it again, after a kill or by a worker that comes late,
changes nothing but its number of attempts.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from pymongo import UpdateOne
from pymongo.database import Database

from acme.bus import Record
from acme.contracts.envelope import Envelope, Undecodable, from_record, to_record
from projections.runtime.checkpoints import Stream
from projections.runtime.documents import FIND_CHUNK
from projections.runtime.fingerprint import digest
from projections.runtime.fold import Refusal
from projections.runtime.letterbox import DISCARDED, LETTERS, PARKED
from projections.runtime.stopped import MAX_TEXT, Stopped
from queries.documents.dead_letters import parked

MAX_TRACEBACK = 16_000  # characters
Letter = dict[str, Any]
#: (topic, partition, sequence) → offset in Kafka, -1 for events that came from the log.
Offsets = dict[tuple[str, int, int], int]


class DeadLetters:
    """The dead letters of one generation."""

    def __init__(self, store: Database[dict[str, Any]], projection: str, generation: int) -> None:
        self._store, self._collection = store, store[LETTERS]
        self._mine: dict[str, Any] = {"projection": projection, "generation": generation}
        self._projection, self._prefix = projection, f"{projection}|{generation}|"

    def park(
        self,
        refusals: Iterable[Refusal],
        passed_over: Iterable[tuple[Envelope, Stopped]],
        offsets: Offsets,
        now: datetime,
    ) -> int:
        """Writes a letter for each refused event, each that waits behind it, and each of a stopped aggregate.

        Answers how many of them are new.
        """
        operations = []
        for refusal in refusals:
            operations.append(self._failed(refusal, offsets, now))
            first = refusal.envelope.sequence or 0
            operations += [self._held(e, first, refusal.fingerprint, offsets, now) for e in refusal.held]
        for envelope, marker in passed_over:
            first, error = marker.first_sequence, marker.error
            operations.append(self._held(envelope, first, marker.fingerprint, offsets, now, error=error))
        return self._write(operations)

    def park_undecodable(
        self, records: Iterable[tuple[Record, Undecodable]], identities: dict[str, str], *, room: int
    ) -> int:
        """Records that are no event: their bytes are kept. If one stood for a sequence, the log supplies the event.

        Answers how many have a letter now that had none; -1 when they would be more than ``room``, and none has then.
        """
        now = datetime.now(UTC)
        made = {self._record_key(record, identities): self._record(record, error, now) for record, error in records}
        new = self._without_letter(made)
        if len(new) > room:
            return -1
        return self._write([UpdateOne({"_id": key}, {"$setOnInsert": made[key]}, upsert=True) for key in new])

    def _record_key(self, record: Record, identities: dict[str, str]) -> str:
        identity = identities.get(record.topic, "")
        return f"{self._prefix}{record.topic}|{record.partition}|offset:{record.offset}@{identity[:8]}"

    def _record(self, record: Record, error: Undecodable, now: datetime) -> dict[str, Any]:
        headers = [[name, value] for name, value in record.headers]
        return {
            **self._mine,
            "topic": record.topic,
            "partition": record.partition,
            "sequence": None,
            "offset": record.offset,
            "aggregate": None,
            "record": {"key": record.key, "value": record.value, "headers": headers},
            "error": f"Undecodable: {error}"[:MAX_TEXT],
            "error_class": f"{type(error).__module__}.{type(error).__qualname__}",
            "traceback": "",
            "fingerprint": digest(self._projection, record.topic, "Undecodable"),
            "held": False,
            "state": PARKED,
            "attempts": 1,
            "unannounced": True,
            "first_at": now,
            "last_at": now,
        }

    def missing(self, envelopes: Iterable[Envelope]) -> list[Envelope]:
        """Those of which there is no letter, of any state."""
        by_key = {self._key(envelope): envelope for envelope in envelopes}
        return [by_key[key] for key in self._without_letter(by_key)]

    def _without_letter(self, keys: Iterable[str]) -> list[str]:
        wanted, found = list(keys), set()
        for start in range(0, len(wanted), FIND_CHUNK):
            chunk = {"_id": {"$in": wanted[start : start + FIND_CHUNK]}}
            found |= {row["_id"] for row in self._collection.find(chunk, {"_id": 1})}
        return [key for key in wanted if key not in found]

    def in_request(self, request: str, stream: Stream, limit: int, but: Iterable[str] = ()) -> list[Letter]:
        """Letters that a request has marked in a partition, one aggregate after the other; of some aggregates none.

        In the order of the stream a chunk would take a step with each of a hundred aggregates and finish none.
        """
        chosen = {"request": request, "topic": stream[0], "partition": stream[1]}
        rows = self._collection.find(chosen).sort([("aggregate", 1), ("sequence", 1), ("offset", 1)])
        if not (excluded := set(but)):
            return list(rows.limit(limit))
        # Not with $nin: with it the embedded server does not take the index.
        return list(islice((row for row in rows if row["aggregate"] not in excluded), limit))

    def first_of(self, aggregate: str, after: int) -> Letter | None:
        """The first parked letter of an aggregate behind a sequence: its sequence and version."""
        # Without the state: with it the embedded server takes another index and reads all parked letters.
        chosen = {**self._mine, "aggregate": aggregate, "sequence": {"$gt": after}}
        rows = self._collection.find(chosen, {"sequence": 1, "aggregate_version": 1, "state": 1}).sort("sequence", 1)
        return next((row for row in rows if row["state"] == PARKED), None)

    def is_next(self, stopped: Stopped, request: str | None) -> bool:
        """Whether the letter before which an aggregate waits is one of this request's, and so tried with its next."""
        found = self._collection.find_one({"_id": self._first(stopped)}, {"request": 1}) or {}
        return request is not None and found.get("request") == request

    def discarded_of(self, aggregate: str) -> list[Letter]:
        chosen = {**self._mine, "aggregate": aggregate, "state": DISCARDED}
        return list(self._collection.find(chosen).sort("sequence", 1))

    def parked(self, streams: Iterable[Stream]) -> list[Letter]:
        """Key, place, aggregate and whether it was discarded once, of all parked letters in these partitions."""
        wanted = set(streams)
        topics, numbers = sorted({topic for topic, _ in wanted}), sorted({number for _, number in wanted})
        places = {"topic": {"$in": topics}, "partition": {"$in": numbers}}
        chosen = {**self._mine, "state": PARKED, **places, "aggregate": {"$ne": None}}
        fields = dict.fromkeys(("aggregate", "sequence", "topic", "partition", "discarded_at"), 1)
        return [row for row in self._collection.find(chosen, fields) if (row["topic"], row["partition"]) in wanted]

    def count(self, aggregate: str | None = None) -> int:
        """Parked letters, of one aggregate or in all."""
        if aggregate is None:
            parts = parked(self._store, self._projection, self._mine["generation"])
            return sum(self._collection.count_documents(part) for part in parts)
        return len(self._parked_of(aggregate))

    def remove(self, keys: Iterable[str], **only: Any) -> None:
        """Takes letters away, with ``only`` those that have these values."""
        wanted = list(keys)
        for start in range(0, len(wanted), FIND_CHUNK):
            self._collection.delete_many({"_id": {"$in": wanted[start : start + FIND_CHUNK]}, **only})

    def update(self, changes: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Update operators by key."""
        self._write([UpdateOne({"_id": key}, change) for key, change in changes])

    def _write(self, operations: list[UpdateOne]) -> int:
        """A hundred at a time: one command of five hundred keeps the embedded server from all others for a second.

        Answers how many letters are new.
        """
        new = 0
        for start in range(0, len(operations), FIND_CHUNK):
            new += self._collection.bulk_write(operations[start : start + FIND_CHUNK], ordered=False).upserted_count
        return new

    def tried(self, stopped: Stopped, values: dict[str, Any], *, attempts: int = 0) -> None:
        """The letter before which its aggregate waits now."""
        change = {"$set": {**values, "held": False, "held_by": None}, "$inc": {"attempts": attempts}}
        self._collection.update_one({"_id": self._first(stopped)}, change)

    def _first(self, stopped: Stopped) -> str:
        """The key of the letter before which an aggregate waits."""
        return f"{self._prefix}{stopped.topic}|{stopped.partition}|{stopped.first_sequence}"

    def hold_behind(self, stopped: Stopped) -> None:
        """All later letters of the aggregate wait behind the event before which it has stopped now."""
        values = {"$set": {"held_by": stopped.first_sequence, "fingerprint": stopped.fingerprint}}
        self.update((key, values) for key in self._parked_of(stopped.aggregate, after=stopped.first_sequence))

    def unannounced(self, streams: Iterable[Stream], limit: int) -> list[Letter]:
        """Letters that are not on the topic of dead letters yet."""
        wanted = set(streams)
        # Of all generations, in no order: with either the embedded server reads every letter.
        rows = self._collection.find({"projection": self._projection, "unannounced": True})
        mine = (row for row in rows if row["generation"] == self._mine["generation"])
        found = list(islice((row for row in mine if (row["topic"], row["partition"]) in wanted), limit))
        return sorted(found, key=lambda row: (row["topic"], row["partition"], row["sequence"] or 0, row["offset"]))

    def _parked_of(self, aggregate: str, after: int = 0) -> list[str]:
        """Keys of an aggregate's parked letters behind a sequence."""
        # Without the state, see `first_of`.
        chosen = {**self._mine, "aggregate": aggregate, "sequence": {"$gt": after}}
        return [row["_id"] for row in self._collection.find(chosen, {"state": 1}) if row["state"] == PARKED]

    def _key(self, envelope: Envelope) -> str:
        return f"{self._prefix}{envelope.topic}|{envelope.partition}|{envelope.sequence}"

    def _failed(self, refusal: Refusal, offsets: Offsets, now: datetime) -> UpdateOne:
        values = {**failure(refusal), "held": False, "held_by": None, "state": PARKED, "last_at": now}
        change = {"$setOnInsert": self._event(refusal.envelope, offsets, now), "$set": values}
        return UpdateOne({"_id": self._key(refusal.envelope)}, {**change, "$inc": {"attempts": refusal.attempts}}, True)

    def _held(
        self, envelope: Envelope, first: int, fingerprint: str, offsets: Offsets, now: datetime, *, error: str = ""
    ) -> UpdateOne:
        """The first of a stopped aggregate comes again after a kill: ``error`` is its own."""
        held = envelope.sequence != first
        waiting = {
            "error": f"waits behind sequence {first}" if held else error,
            "error_class": "",
            "traceback": "",
            "fingerprint": fingerprint,
            "held": held,
            "held_by": first if held else None,
            "attempts": 0,
        }
        kept = {**self._event(envelope, offsets, now), **waiting}
        change = {"$setOnInsert": kept, "$set": {"state": PARKED, "last_at": now}}
        return UpdateOne({"_id": self._key(envelope)}, change, upsert=True)

    def _event(self, envelope: Envelope, offsets: Offsets, now: datetime) -> dict[str, Any]:
        key, value, headers = to_record(envelope)
        return {
            **self._mine,
            "topic": envelope.topic,
            "partition": envelope.partition,
            "sequence": envelope.sequence,
            "offset": offsets.get((envelope.topic, envelope.partition, envelope.sequence or 0), -1),
            "aggregate": envelope.aggregate,
            "aggregate_version": envelope.aggregate_version,
            "event_type": envelope.event_type,
            "event_id": str(envelope.event_id),
            "schema_version": envelope.schema_version,
            "occurred_at": envelope.occurred_at,
            "recorded_at": envelope.recorded_at,
            "record": {"key": key, "value": value, "headers": [[name, text] for name, text in headers]},
            "unannounced": True,
            "first_at": now,
        }


def failure(refusal: Refusal) -> dict[str, Any]:
    """What a letter says of why its event is not applied."""
    return {
        "error": refusal.error[:MAX_TEXT],
        "error_class": refusal.error_class,
        "traceback": refusal.traceback[-MAX_TRACEBACK:],
        "fingerprint": refusal.fingerprint,
    }


def envelope_of(letter: Letter) -> Envelope:
    """The parked event. Raises `Undecodable` for a record that is none."""
    record = letter["record"]
    headers = [(name, bytes(value)) for name, value in record["headers"]]
    value = record["value"]
    return from_record(letter["topic"], letter["partition"], None if value is None else bytes(value), headers)
