"""Records as they are read from and written to a partition."""

from __future__ import annotations

from typing import Any, NamedTuple

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


def record_of(read: Any) -> Record:
    """From what kafka-python reads."""
    headers = read.headers or []
    for _, value in headers:
        if value is None:  # hardly any: the list that is there is copied only then
            headers = [(name, value or b"") for name, value in headers]
            break
    return Record(read.topic, read.partition, read.offset, read.key, read.value, headers)


class Outgoing(NamedTuple):
    """One record to be written to exactly this partition."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Headers
