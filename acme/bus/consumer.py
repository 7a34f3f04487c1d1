"""Reading records as a member of a consumer group; the offsets are the caller's business."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.subscription_state import ConsumerRebalanceListener
from kafka.coordinator.assignors.cooperative_sticky import CooperativeStickyAssignor
from kafka.errors import KafkaError, RetriableError
from kafka.structs import OffsetAndMetadata

from acme.bus.client import net_client
from acme.bus.errors import PASSING, BusError, as_bus_error, translated
from acme.bus.records import Partition, Record, record_of
from acme.bus.settings import CONSUMER, JOINING_POLL_SECONDS, MEMBER

Callback = Callable[[list[Partition]], None]


class Consumer:
    """A member of a consumer group (cooperative-sticky: on a rebalance only what moves is interrupted).

    All methods belong to one thread. The callbacks run in that thread too, at the end of `poll`: ``on_assigned`` before
    any record of the new partitions is returned (it should `seek`; else reading starts at the group's committed offset,
    or at the beginning), ``on_revoked`` as soon as it is known; nothing of those partitions is returned then. Both
    get only what changed. A broker that is down does not raise out of `poll`: it returns nothing, and `connected` says
    why. A broker that comes back, even empty with new topics, is joined again by the same object; it does not know of
    the change, so the caller compares `Topics.identities` and seeks (a position past the end raises no error: the
    embedded broker returns nothing, Apache Kafka sends the reader back to the beginning). The constructor raises
    `BusUnavailable` when no broker answers within four seconds.

    ``member`` makes the membership static: the same name comes back to its partitions without a rebalance.
    """

    def __init__(
        self,
        bootstrap: str,
        group: str,
        topics: Iterable[str],
        *,
        on_assigned: Callback,
        on_revoked: Callback,
        member: str | None = None,
    ) -> None:
        self._on_assigned = on_assigned
        self._on_revoked = on_revoked
        self._changes: deque[tuple[bool, list[Partition]]] = deque()
        self._client: Any = None
        names = sorted(topics)
        with translated(f"connecting the consumer group {group}"):
            self._consumer: Any = KafkaConsumer(
                bootstrap_servers=bootstrap.split(","),
                group_id=group,
                group_instance_id=member,
                partition_assignment_strategy=[CooperativeStickyAssignor],
                **{**CONSUMER, **MEMBER, "kafka_client": self._connect},
            )
            self._consumer.subscribe(names, listener=_Listener(self._changes, self._consumer))
            for name in names:  # without metadata a group consumer can stay without partitions
                self._consumer.partitions_for_topic(name)

    def _connect(self, **configs: Any) -> Any:
        self._client = net_client(**configs)
        return self._client

    @property
    def connected(self) -> bool:
        """Whether a connection to a broker stands now."""
        return any(self._client.connected(broker.node_id) for broker in self._client.cluster.brokers())

    def poll(self, timeout_seconds: float, max_records: int | None = None) -> dict[Partition, list[Record]]:
        """Records by partition, in order; empty when none came in time (0.5 s at least while joining).

        Raises `BusError` only for what retrying does not heal (not authorised, a misconfigured group).
        """
        if not self._consumer.assignment():
            timeout_seconds = max(timeout_seconds, JOINING_POLL_SECONDS)
        try:
            found = self._consumer.poll(timeout_ms=int(timeout_seconds * 1000), max_records=max_records)
        except (RetriableError, OSError, *PASSING):
            found = {}
        except KafkaError as error:
            raise as_bus_error(error, "polling") from error
        moved = self._deliver_changes()
        return {
            (tp.topic, tp.partition): [record_of(r) for r in records]
            for tp, records in found.items()
            if (tp.topic, tp.partition) not in moved
        }

    def _deliver_changes(self) -> set[Partition]:
        """Runs the callbacks for what kafka-python's thread has reported; answers which partitions were revoked."""
        revoked: set[Partition] = set()
        while self._changes:
            assigned, partitions = self._changes.popleft()
            if not assigned:
                revoked.update(partitions)
                self._on_revoked(partitions)
                continue
            revoked.difference_update(partitions)
            held = [pair for pair in partitions if pair in self.assignment()]
            self.resume(held)
            if held:
                self._on_assigned(held)
        return revoked

    def assignment(self) -> set[Partition]:
        return {(tp.topic, tp.partition) for tp in self._consumer.assignment() or ()}

    def seek(self, topic: str, partition: int, offset: int) -> None:
        """The next record read from there is the first at or above the offset; without effect for one not held."""
        with suppress(ValueError):  # "Unassigned partition": revoked since the caller looked
            self._consumer.seek(TopicPartition(topic, partition), offset)

    def seek_to_beginning(self, topic: str, partition: int) -> None:
        """Reads on from the oldest record there is; without effect for a partition not held."""
        with suppress(ValueError):
            self._consumer.seek_to_beginning(TopicPartition(topic, partition))

    def pause(self, partitions: Iterable[Partition]) -> None:
        """Returns nothing from these until `resume`; a rebalance forgets it."""
        for pair in set(partitions) & self.assignment():
            self._consumer.pause(TopicPartition(*pair))

    def resume(self, partitions: Iterable[Partition]) -> None:
        for pair in set(partitions) & self.assignment():
            self._consumer.resume(TopicPartition(*pair))

    def commit(self, offsets: Mapping[Partition, int]) -> None:
        """Sends the next offsets to read to the group, for other people's tools; neither waits nor fails."""
        wanted = {TopicPartition(*pair): OffsetAndMetadata(offset) for pair, offset in offsets.items()}
        if wanted:
            with suppress(KafkaError):
                self._consumer.commit_async(wanted)

    def close(self) -> None:
        """Leaves the group (a static member does not) and ends the connection, within two seconds."""
        with suppress(KafkaError, BusError):
            self._consumer.close(autocommit=False, timeout_ms=2_000)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes what kafka-python's own thread reports; new partitions stay paused until the caller knows of them."""

    def __init__(self, changes: deque[tuple[bool, list[Partition]]], consumer: Any) -> None:
        self._changes = changes
        self._consumer = consumer

    def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        new = sorted(assigned)
        self._consumer.pause(*new)
        if new:
            self._changes.append((True, [tuple(tp) for tp in new]))

    def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        gone = sorted(revoked)
        if gone:
            self._changes.append((False, [tuple(tp) for tp in gone]))

    def on_partitions_lost(self, lost: Iterable[Any]) -> None:
        self.on_partitions_revoked(lost)
