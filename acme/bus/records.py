"""Records as they are read from and written to a partition."""

from __future__ import annotations

from typing import NamedTuple

#: (topic, partition)
Partition = tuple[str, int]
Headers = list[tuple[str, bytes]]


class Record(NamedTuple):
    """One record of a partition as it was read; a header without a value has an empty one."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: Headers


class Outgoing(NamedTuple):
    """One record to be written to exactly this partition."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers
