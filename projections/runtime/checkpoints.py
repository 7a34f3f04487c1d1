"""Checkpoints: the truth about what a generation has applied, per topic and partition, written with compare-and-set.

A checkpoint also names the aggregates whose events it has passed over, each with the first such sequence. Stopping one,
letting it go on and letting it come further are therefore moves of the same compare-and-set: none can happen behind the
back of a worker that still writes, and none outlives documents that the store has lost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from hashlib import blake2b
from typing import Any

from pymongo import UpdateOne
from pymongo.database import Database

from acme.contracts.envelope import Envelope
from projections.runtime.documents import write_guarded

Stream = tuple[str, int]
COLLECTION = "projection_checkpoints"


@dataclass(frozen=True, kw_only=True)
class Checkpoint:
    """Where one partition stands: ``sequence`` 0 and epoch None before anything was applied.

    ``offset`` is the Kafka offset of the last record seen under ``topic_identity``; -1 when none was.
    ``stopped``: aggregate (``type:id``) → sequence of its first event at or below ``sequence`` that was not applied.
    ``witness``: sequence and id of an event further on that was applied once, and may still be in the documents.
    """

    topic: str
    partition: int
    sequence: int = 0
    event_id: str | None = None
    offset: int = -1
    topic_identity: str = ""
    log_epoch: int | None = None
    recorded_at: datetime | None = None
    stopped: Mapping[str, int] = field(default_factory=dict)
    witness: tuple[int, str] | None = None

    @cached_property
    def stopped_print(self) -> str:
        """What of ``stopped`` is compared; empty where there is none."""
        return blake2b("|".join(self.stopped_names).encode(), digest_size=12).hexdigest() if self.stopped else ""

    @property
    def stopped_names(self) -> list[str]:
        """As they are stored: ``type:id@sequence``, sorted."""
        return sorted(f"{aggregate}@{sequence}" for aggregate, sequence in self.stopped.items())

    @property
    def applied(self) -> list[tuple[int, str]]:
        """Sequence and id of events that are known to have been applied: the last, and the witness."""
        last = [(self.sequence, self.event_id)] if self.event_id else []
        return [*last, *([self.witness] if self.witness else [])]

    def same_as(self, other: Checkpoint) -> bool:
        """Whether both tell of the same events, applied and passed over."""
        return (self.event_id, self.stopped_print) == (other.event_id, other.stopped_print)

    @property
    def stream(self) -> Stream:
        return self.topic, self.partition

    def after(self, envelope: Envelope, *, offset: int, topic_identity: str) -> Checkpoint:
        """The checkpoint once this event (and all before it) is applied."""
        sequence = envelope.sequence or 0
        return replace(
            self,
            sequence=sequence,
            witness=self.witness if self.witness and self.witness[0] > sequence else None,
            event_id=str(envelope.event_id),
            offset=offset,
            topic_identity=topic_identity,
            log_epoch=envelope.log_epoch,
            recorded_at=envelope.recorded_at,
        )


def store_incarnation(store: Database[dict[str, Any]]) -> str:
    """Which process of the read store answers now; empty where it does not say.

    A store that is killed may lose its last acknowledged writes and be back before the driver notices: documents can go
    to one process and their checkpoint to the next, which has lost the documents. Only this tells.

    A mongos says nothing of the shards behind it, and the driver may ask another mongos each time: it counts as not
    saying. What the majority of a shard has acknowledged stays.
    """
    hello = store.client.admin.command("hello")
    if hello.get("msg") == "isdbgrid":
        return ""
    return str((hello.get("topologyVersion") or {}).get("processId", ""))


class Checkpoints:
    """The checkpoints of one generation.

    Each row also has ``incarnation``, the store's process under which its batch began, and ``previous``, the row
    before. What was written under another process than the one that answers now may have lost its documents; what
    came before it has not, since only a tail is ever lost. So such a row is set back by one batch and applied again.
    Which event it had come to stays in ``witness``: the documents may have that event all the same, so if the log has
    another one there by now, it was restored, and the read model is not of this log.
    """

    def __init__(self, store: Database[dict[str, Any]], projection: str, generation: int) -> None:
        self._collection = store[COLLECTION]
        self._projection, self._generation = projection, generation
        self._incarnation = ""

    def _key(self, stream: Stream) -> str:
        return f"{self._projection}|{self._generation}|{stream[0]}|{stream[1]}"

    def take_over(self, streams: Iterable[Stream], incarnation: str) -> dict[Stream, Checkpoint]:
        """`load` for a worker that will write, under this incarnation of the store: sets back what may have lost its
        documents. Raises `Overtaken` when somebody else writes the same rows."""
        wanted = list(streams)
        self._incarnation = incarnation
        rows = self._collection.find({"_id": {"$in": [self._key(stream) for stream in wanted]}})
        doubtful = [row for row in rows if incarnation and row.get("incarnation", incarnation) != incarnation]
        for row in doubtful:
            self._set_back(row)
        return self.load(wanted)

    def _set_back(self, row: dict[str, Any]) -> None:
        """To the row before it; to nothing applied at all where there was none."""
        filter_ = {name: row[name] for name in ("_id", "sequence", "event_id", "incarnation")}
        previous = row.get("previous")
        before = previous or self._fields(Checkpoint(topic=row["topic"], partition=row["partition"]))
        reached = {"sequence": row["sequence"], "event_id": row["event_id"]}
        witness = max(row.get("witness") or reached, reached, key=lambda seen: int(seen["sequence"]))
        values = {**before, "previous": previous, "incarnation": self._incarnation}
        if witness["sequence"] > before["sequence"]:
            values["witness"] = witness
        update: dict[str, Any] = {"$set": values}
        gone = {name: "" for name in ("stopped", "stopped_print", "witness") if name not in values}
        write_guarded(self._collection, [UpdateOne(filter_, {**update, "$unset": gone} if gone else update)])

    def load(self, streams: Iterable[Stream]) -> dict[Stream, Checkpoint]:
        """As the primary has them now; a fresh `Checkpoint` where there is none."""
        wanted = {self._key(stream): stream for stream in streams}
        rows = {row["_id"]: row for row in self._collection.find({"_id": {"$in": list(wanted)}})}
        loaded = {}
        for key, (topic, partition) in wanted.items():
            row = rows.get(key)
            loaded[topic, partition] = (
                Checkpoint(topic=topic, partition=partition)
                if row is None
                else Checkpoint(
                    topic=topic,
                    partition=partition,
                    sequence=row["sequence"],
                    event_id=row["event_id"],
                    offset=row["offset"],
                    topic_identity=row["topic_identity"],
                    log_epoch=row["log_epoch"],
                    recorded_at=row["recorded_at"],
                    stopped=dict(map(_named, row.get("stopped", ()))),
                    witness=_witness(row.get("witness")),
                )
            )
        return loaded

    def advance(self, moves: Iterable[tuple[Checkpoint, Checkpoint]]) -> None:
        """Moves each from the checkpoint that is held to the next one, in one bulk write. Raises `Overtaken`."""
        write_guarded(self._collection, [self._move(held, reached) for held, reached in moves])

    def confirm(self, checkpoints: Iterable[Checkpoint]) -> None:
        """Says that the documents behind these checkpoints are in the same store as they: nothing sets them back.

        For moves that no later batch repeats. Raises `Overtaken`.
        """
        self.advance((checkpoint, checkpoint) for checkpoint in checkpoints)

    def place(self, moves: Iterable[tuple[Checkpoint, Checkpoint]]) -> None:
        """Says where in Kafka the event of each checkpoint is, not what has been applied. Raises `Overtaken`."""
        write_guarded(
            self._collection,
            [
                UpdateOne(
                    {"_id": self._key(held.stream), "sequence": held.sequence, "event_id": held.event_id},
                    {"$set": {"offset": placed.offset, "topic_identity": placed.topic_identity}},
                )
                for held, placed in moves
            ],
        )

    def _move(self, held: Checkpoint, reached: Checkpoint) -> UpdateOne:
        filter_: dict[str, Any] = {"_id": self._key(held.stream)}
        exists = held.event_id is not None or held.witness is not None
        filter_["sequence"] = held.sequence if exists else {"$exists": False}
        filter_["stopped_print"] = held.stopped_print or {"$exists": False}
        if held.event_id:
            filter_["event_id"] = held.event_id
        previous = self._fields(held) if held.event_id else None
        values = {**self._fields(reached), "previous": previous, "incarnation": self._incarnation}
        gone = {"stopped": "", "stopped_print": ""} if held.stopped and not reached.stopped else {}
        if held.witness and not reached.witness:
            gone["witness"] = ""
        return UpdateOne(filter_, {"$set": values, **({"$unset": gone} if gone else {})}, upsert=not exists)

    def _fields(self, checkpoint: Checkpoint) -> dict[str, Any]:
        """The row of a checkpoint, without key and safeguards."""
        fields = {
            "projection": self._projection,
            "generation": self._generation,
            "topic": checkpoint.topic,
            "partition": checkpoint.partition,
            "sequence": checkpoint.sequence,
            "event_id": checkpoint.event_id,
            "offset": checkpoint.offset,
            "topic_identity": checkpoint.topic_identity,
            "log_epoch": checkpoint.log_epoch,
            "recorded_at": checkpoint.recorded_at,
        }
        if checkpoint.stopped:
            fields |= {"stopped": checkpoint.stopped_names, "stopped_print": checkpoint.stopped_print}
        return fields


def _witness(stored: dict[str, Any] | None) -> tuple[int, str] | None:
    return (int(stored["sequence"]), str(stored["event_id"])) if stored else None


def _named(stored: str) -> tuple[str, int]:
    aggregate, _, sequence = stored.partition("@")
    return aggregate, int(sequence)
