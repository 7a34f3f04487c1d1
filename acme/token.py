"""The consistency token: which aggregate versions a command wrote, opaque to clients.

Format: base64url without padding of a msgpack array of [topic index, partition, aggregate type index in the topic,
aggregate id (16 bytes), version]. It is not signed: a made-up token can only make its own query wait.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable
from uuid import UUID

import msgspec

from acme.contracts.topics import TOPICS, partition_of

MAX_ENTRIES = 256
MAX_LENGTH = 16_384


class InvalidToken(ValueError):
    """The consistency token was not issued by this shop."""


class Written(msgspec.Struct, frozen=True):
    """An aggregate at the version that a command gave it."""

    aggregate_type: str
    aggregate_id: UUID
    version: int

    @property
    def key(self) -> str:
        return f"{self.aggregate_type}:{self.aggregate_id}"


class _Entry(msgspec.Struct, frozen=True, array_like=True):
    topic: int
    aggregate: int
    id: bytes
    version: int


def encode_token(written: Iterable[Written]) -> str:
    """The token of the highest version of each aggregate."""
    latest: dict[tuple[str, UUID], int] = {}
    for item in written:
        key = (item.aggregate_type, item.aggregate_id)
        latest[key] = max(item.version, latest.get(key, 0))
    entries = []
    for (aggregate_type, aggregate_id), version in latest.items():
        index, topic = next((i, t) for i, t in enumerate(TOPICS) if aggregate_type in t.aggregates)
        entries.append(_Entry(index, topic.aggregates.index(aggregate_type), aggregate_id.bytes, version))
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(entries)).rstrip(b"=").decode()


def decode_token(token: str) -> list[Written]:
    """What a token asks for. Raises `InvalidToken`."""
    if len(token) > MAX_LENGTH:
        raise InvalidToken("too long")
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        entries = msgspec.msgpack.decode(raw, type=list[_Entry])
        written = [
            Written(TOPICS[entry.topic].aggregates[entry.aggregate], UUID(bytes=entry.id), entry.version)
            for entry in entries
        ]
    except (binascii.Error, msgspec.DecodeError, IndexError, ValueError) as error:
        raise InvalidToken("not a consistency token of this shop") from error
    if len(written) > MAX_ENTRIES:
        raise InvalidToken("names too many aggregates")
    return written


def stream_of(written: Written) -> tuple[str, int]:
    """Topic name and partition in which the aggregate's events travel."""
    topic = next(topic for topic in TOPICS if written.aggregate_type in topic.aggregates)
    return topic.name, partition_of(topic, written.aggregate_id)
