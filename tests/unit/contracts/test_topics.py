"""Partitions are those of Kafka's own default partitioner, and consistency tokens survive the way to the client."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.partitioner.default import murmur2 as kafka_murmur2

from acme.contracts.registry import EVENTS
from acme.contracts.topics import BY_AGGREGATE, TOPICS, murmur2, partition_of
from acme.contracts.upcasters import UnknownSchemaVersion, upcast
from acme.token import InvalidToken, Written, decode_token, encode_token, stream_of

written = st.builds(
    Written,
    aggregate_type=st.sampled_from(sorted(BY_AGGREGATE)),
    aggregate_id=st.uuids(),
    version=st.integers(1, 2**31),
)


@given(st.binary(max_size=70))
def test_murmur2_as_kafka_computes_it(data: bytes) -> None:
    assert murmur2(data) == kafka_murmur2(data) & 0xFFFFFFFF


def test_partition_of_a_known_id() -> None:
    """A partition that changed would tear an aggregate's events apart: pinned for ever."""
    assert [partition_of(topic, UUID(int=1)) for topic in TOPICS] == [2] * 5


def test_every_event_type_has_a_topic() -> None:
    assert all(cls.topic() in TOPICS for cls in EVENTS.values())


@given(st.lists(written, max_size=100))
def test_token_round_trip(items: list[Written]) -> None:
    latest = {item.key: max(i.version for i in items if i.key == item.key) for item in items}
    assert {item.key: item.version for item in decode_token(encode_token(items))} == latest


@given(written)
def test_token_names_the_stream_of_the_events(item: Written) -> None:
    topic, partition = stream_of(item)
    assert topic == BY_AGGREGATE[item.aggregate_type].name
    assert partition == partition_of(BY_AGGREGATE[item.aggregate_type], item.aggregate_id)


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda raw: raw.hex()))
def test_junk_tokens_are_refused_not_crashed_on(token: str) -> None:
    try:
        decode_token(token)
    except InvalidToken:
        pass


def test_token_of_a_hundred_lines_fits_into_a_header() -> None:
    items = [Written("stock_item", UUID(int=number), number) for number in range(1, 103)]
    assert len(encode_token(items)) < 4096


def test_upcasting_goes_step_by_step() -> None:
    steps = {("E", 1): lambda data: {**data, "b": 2}, ("E", 2): lambda data: {**data, "c": data["b"] + 1}}
    assert upcast("E", 1, 3, {"a": 1}, steps) == {"a": 1, "b": 2, "c": 3}
    assert upcast("E", 3, 3, {"a": 1}, steps) == {"a": 1}
    with pytest.raises(UnknownSchemaVersion, match="knows 3"):
        upcast("E", 4, 3, {}, steps)
    with pytest.raises(UnknownSchemaVersion, match="no upcaster from schema version 3"):
        upcast("E", 3, 4, {}, steps)
