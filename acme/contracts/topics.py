"""The Kafka topics: one per aggregate family, key = aggregate id, fixed partition counts.

The partition of an event is ``murmur2(str(aggregate_id)) mod partitions`` (Kafka's default partitioner), computed
once when the event is recorded. A topic's partition count never changes: more partitions means a new topic and a
rebuild.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One topic: who writes it and which aggregates' events it carries."""

    name: str
    aggregates: tuple[str, ...]
    partitions: int = 8


CATALOG = Topic(name="acme.catalog", aggregates=("category", "product"))
INVENTORY = Topic(name="acme.inventory", aggregates=("stock_item",))
CUSTOMERS = Topic(name="acme.customers", aggregates=("customer",))
CARTS = Topic(name="acme.carts", aggregates=("cart",))
ORDERS = Topic(name="acme.orders", aggregates=("order", "past_return"))

#: Every topic; the order is part of the consistency token's format, so append only.
TOPICS = (CATALOG, INVENTORY, CUSTOMERS, CARTS, ORDERS)
#: Where projectors announce what they could not apply; it carries no events of its own and is in no token.
DEAD_LETTERS = Topic(name="acme.dead-letters", aggregates=())
BY_NAME = {topic.name: topic for topic in TOPICS}
BY_AGGREGATE = {aggregate: topic for topic in TOPICS for aggregate in topic.aggregates}


def partition_of(topic: Topic, aggregate_id: UUID) -> int:
    """The partition of every event of this aggregate."""
    return (murmur2(str(aggregate_id).encode()) & 0x7FFFFFFF) % topic.partitions


def murmur2(data: bytes) -> int:
    """MurmurHash2 (32 bit, seed 0x9747b28c) as Kafka's clients compute it (Apache Kafka, Utils.murmur2)."""
    multiplier, mask = 0x5BD1E995, 0xFFFFFFFF
    length = len(data)
    value = (0x9747B28C ^ length) & mask
    whole = length - length % 4
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * multiplier & mask
        word = (word ^ (word >> 24)) * multiplier & mask
        value = (value * multiplier & mask) ^ word
    if length % 4:
        value ^= int.from_bytes(data[whole:], "little")
        value = value * multiplier & mask
    value = (value ^ (value >> 13)) * multiplier & mask
    return value ^ (value >> 15)
