"""Kafka in memory: topics with identities, a producer, and consumer groups whose partitions move at any time."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from acme.bus import BusUnavailable, Outgoing, Record, Tail
from projections.runtime.checkpoints import Stream
from tests.model.actors import Actor, Actors

Changed = Callable[[list[Stream]], None]


@dataclass
class Broker:
    """The server. ``chance`` decides what a client cannot know: how much a poll brings, and from where."""

    actors: Actors
    streams: list[Stream]
    chance: random.Random
    records: dict[Stream, list[Record]] = field(default_factory=dict)  # index: offset
    identities: dict[str, str] = field(default_factory=dict)
    members: list[Consumer] = field(default_factory=list)
    committed: dict[tuple[str, Stream], int] = field(default_factory=dict)
    late: list[Outgoing] = field(default_factory=list)  # sent by a producer that got no answer, and still under way
    made: int = 0
    cut: bool = False  # it has lost its tail at some time

    def create(self, names: Iterable[str]) -> list[str]:
        new = [name for name in names if name not in self.identities]
        for name in new:
            self.made += 1
            self.identities[name] = f"topic-{self.made}"
            self.records.update({stream: [] for stream in self.streams if stream[0] == name})
        return new

    def append(self, record: Outgoing) -> int:
        """Raises `BusUnavailable` while the topic is missing."""
        found = self.records.get((record.topic, record.partition))
        if found is None:
            raise BusUnavailable(f"there is no topic {record.topic}")
        found.append(Record(record.topic, record.partition, len(found), record.key, record.value, record.headers))
        return len(found) - 1

    def restart_empty(self, *, with_topics: bool) -> None:
        names = list(self.identities)
        self.records, self.identities = {}, {}
        self.committed.clear()
        self.late.clear()
        if with_topics:
            self.create(names)

    def share_out(self) -> None:
        """Every partition of a group gets an owner among its members; the group forgets those whose process died."""
        self.members = [m for m in self.members if not (m.closed or (m.owner and m.owner.over))]
        for group in {member.group for member in self.members}:
            mine = [member for member in self.members if member.group == group]
            for member in mine:
                member.target = set()
            for number, stream in enumerate(s for s in self.streams if s[0] in mine[0].topics):
                mine[number % len(mine)].target.add(stream)

    def move_partition(self, chance: random.Random) -> None:
        """A partition is taken away from whoever has it and given to another member, or to nobody yet."""
        members = [member for member in self.members if not member.closed]
        if not members:
            return
        stream, new = chance.choice(self.streams), chance.choice([*members, None])
        for member in members:
            member.target.discard(stream)
        if new is not None and stream[0] in new.topics:
            new.target.add(stream)


class Consumer:
    """`acme.bus.Consumer`."""

    def __init__(
        self, broker: Broker, group: str, topics: tuple[str, ...], on_assigned: Changed, on_revoked: Changed
    ) -> None:
        self._broker, self.group, self.topics = broker, group, topics
        self._on_assigned, self._on_revoked = on_assigned, on_revoked
        self.owner: Actor | None = broker.actors.current
        self.target: set[Stream] = set()  # what the group wants it to have
        self.held: dict[Stream, int] = {}  # partition → position
        self._paused: set[Stream] = set()
        self.closed = False
        try:
            self._call("join", self._join)
        except BusUnavailable:
            self.closed = True  # the broker takes it for a member, until it has heard nothing for a while
            raise

    def _call(self, what: str, do: Callable[[], Any]) -> Any:
        return self._broker.actors.call("kafka", what, do)

    def _join(self) -> None:
        self._broker.members.append(self)
        self._broker.share_out()

    def poll(self, timeout: float, most: int) -> dict[Stream, list[Record]]:
        try:
            found: dict[Stream, list[Record]] = self._call("poll", lambda: self._fetch(most))
        except BusUnavailable:
            found = {}
        if not found:
            self._broker.actors.clock.advance(timeout)
        gone = sorted(self.held.keys() - self.target)
        new = sorted(self.target - self.held.keys())
        for stream in gone:
            del self.held[stream]
        if gone:
            self._on_revoked(gone)
        self._paused -= {*gone, *new}
        self.held.update({stream: self._broker.committed.get((self.group, stream), 0) for stream in new})
        if new:
            self._on_assigned(new)
        return {stream: records for stream, records in found.items() if stream in self.held}

    def _fetch(self, most: int) -> dict[Stream, list[Record]]:
        streams = sorted(self.held.keys() - self._paused)
        self._broker.chance.shuffle(streams)
        found: dict[Stream, list[Record]] = {}
        for stream in streams:
            first = self.held[stream]
            records = self._broker.records.get(stream, [])[first : first + most]
            if records:
                found[stream], most = records, most - len(records)
                self.held[stream] += len(records)
            if most <= 0:
                break
        return found

    def seek(self, topic: str, partition: int, offset: int) -> None:
        if (topic, partition) in self.held:
            self.held[topic, partition] = offset

    def seek_to_beginning(self, topic: str, partition: int) -> None:
        self.seek(topic, partition, 0)

    def pause(self, partitions: Iterable[Stream]) -> None:
        self._paused |= set(partitions) & self.held.keys()

    def resume(self, partitions: Iterable[Stream]) -> None:
        self._paused -= set(partitions)

    def commit(self, offsets: Mapping[Stream, int]) -> None:
        self._broker.committed.update({(self.group, stream): offset for stream, offset in offsets.items()})

    def close(self) -> None:
        self.closed = True
        self._broker.share_out()


class Topics:
    """`acme.bus.Topics`."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._call("connect", lambda: None)

    def _call(self, what: str, do: Callable[[], Any]) -> Any:
        return self._broker.actors.call("kafka", what, do)

    def identities(self, names: Iterable[str]) -> dict[str, str]:
        def answer() -> dict[str, str]:
            return {name: i for name, i in self._broker.identities.items() if name in names}

        return dict(self._call("identities", answer))

    def ensure(self, topics: Iterable[Any]) -> list[str]:
        names = [topic.name for topic in topics]
        return list(self._call("create topics", lambda: self._broker.create(names)))

    def tails(self, partitions: Iterable[Stream]) -> dict[Stream, Tail]:
        """One partition after the other: the broker may change in between."""
        return {stream: self._call(f"tail of {stream}", lambda s=stream: self._tail(s)) for stream in partitions}

    def _tail(self, stream: Stream) -> Tail:
        records = self._broker.records.get(stream)
        if records is None:
            raise BusUnavailable(f"there is no topic {stream[0]}")
        return Tail(end=len(records), last=records[-1] if records else None)

    def close(self) -> None:
        """Nothing is held open."""


class Producer:
    """`acme.bus.Producer`."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    def send_all(self, records: Iterable[Outgoing], *, heartbeat: Callable[[], None] | None = None) -> list[int]:
        offsets: list[int] = []
        left = list(records)
        try:
            while left:
                what = f"send {left[0].topic}[{left[0].partition}]"
                offsets.append(self._broker.actors.call("kafka", what, lambda: self._broker.append(left[0])))
                left.pop(0)
                if heartbeat is not None and self._broker.chance.random() < 0.1:
                    heartbeat()
        except BaseException:
            self._broker.late.extend(left[:2])
            raise
        self._broker.actors.call("kafka", "acknowledgement", lambda: None)
        return offsets

    def close(self) -> None:
        """What is under way arrives, or not."""
