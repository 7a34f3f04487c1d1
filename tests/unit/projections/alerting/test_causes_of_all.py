"""What holds of the causes of every snapshot."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from acme.ports import PublisherState
from projections.alerting.cause import Kind
from projections.alerting.causes import assess
from projections.alerting.facts import Blocked, LetterFacts, ProjectionFacts, Snapshot, WorkerFacts
from tests.unit.projections.alerting.looks import NOW, SETTINGS, STREAMS, ago, keys

moments = st.floats(min_value=0, max_value=10**6).map(ago)
workers = st.builds(
    WorkerFacts,
    host=st.sampled_from(["h1", "h2"]),
    pid=st.integers(1, 3),
    state=st.sampled_from(["running", "hanging", "blocked", "paused"]),
    lease_until=st.floats(-1000, 1000).map(ago),
    blocked=st.lists(
        st.builds(
            Blocked,
            topic=st.just("acme.orders"),
            partition=st.integers(0, 7),
            kind=st.sampled_from(["gap", "epoch", "rewritten", "queue-full"]),
            since=st.none() | moments,
        ),
        max_size=3,
    ).map(tuple),
    holds=st.frozensets(st.sampled_from(sorted(STREAMS))),
)
letters = st.builds(
    LetterFacts,
    fingerprint=st.text("0123456789abcdef", min_size=4, max_size=4),
    error=st.just("ValueError"),
    event_type=st.just("OrderPlaced"),
    failing=st.integers(0, 9),
    held=st.integers(0, 9),
    oldest_at=moments,
)


def each_partition_once(found: list[WorkerFacts]) -> tuple[WorkerFacts, ...]:
    """As a consumer group assigns them: no partition to two workers, and none blocked in two ways."""
    free = set(STREAMS)
    workers = []
    for each in found:
        blocked = {part.stream: part for part in each.blocked if part.stream in free}
        holds = (each.holds & free) | blocked.keys()
        free -= holds
        workers.append(replace(each, holds=holds, blocked=tuple(blocked.values())))
    return tuple(workers)


facts = st.builds(
    ProjectionFacts,
    name=st.sampled_from(["orders", "carts", "stock"]),
    paused=st.just({}) | st.fixed_dictionaries({"by": st.just("ann"), "at": moments}),
    lag=st.none() | st.floats(0, 10**5),
    waiting=st.integers(0, 100),
    known_at=st.none() | moments,
    letters=st.lists(letters, max_size=3).map(tuple),
    workers=st.lists(workers, max_size=3, unique_by=lambda worker: (worker.host, worker.pid)).map(each_partition_once),
    streams=st.just(STREAMS),
)
publishers = st.builds(
    PublisherState,
    halted_reason=st.sampled_from(["", "diverged"]),
    oldest_recorded_at=st.none() | moments,
    published=st.integers(0, 9),
)
snapshots = st.builds(
    Snapshot,
    at=st.just(NOW),
    projections=st.none() | st.lists(facts, max_size=3, unique_by=lambda found: found.name).map(tuple),
    publisher=st.none() | publishers,
)


@given(snapshots)
def test_keys_are_unique_and_summaries_one_line(snapshot: Snapshot) -> None:
    found = assess(snapshot, SETTINGS)
    assert len(set(keys(found))) == len(found.causes)
    for cause in found.causes:
        assert cause.key.split(":")[0] == str(cause.kind)
        assert "\n" not in cause.summary
        assert len(cause.summary) < 200
        assert "manage.py" in cause.details
        assert cause.since is None or cause.since <= NOW or cause.kind is Kind.HANGING


@given(snapshots, st.floats(0, 3600))
def test_what_holds_goes_on_to_hold_while_nothing_else_happens(snapshot: Snapshot, seconds: float) -> None:
    """Except for partitions (those of a worker whose lease ends are not known any more) and workers that hung."""
    before = assess(snapshot, SETTINGS)
    if any(cause.kind is Kind.HANGING for cause in before.causes):
        return  # it becomes history
    after = assess(replace(snapshot, at=NOW + timedelta(seconds=seconds)), SETTINGS)
    assert {key for key in set(keys(before)) - set(keys(after)) if after.knows(key)} == set()


@given(snapshots)
def test_nothing_is_both_found_and_not_known(snapshot: Snapshot) -> None:
    found = assess(snapshot, SETTINGS)
    assert [key for key in keys(found) if not found.knows(key)] == []
