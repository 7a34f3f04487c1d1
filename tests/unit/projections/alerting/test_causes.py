"""Which causes hold, from hand-made snapshots: each kind, what suppresses it, and what cannot be judged."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acme.alert_settings import AlertSettings
from acme.ports import PublisherState
from projections.alerting.cause import Assessment, Cause, Kind
from projections.alerting.causes import assess
from projections.alerting.facts import Blocked, LetterFacts, ProjectionFacts, Snapshot, WorkerFacts
from projections.alerting.words import duration

NOW = datetime(2026, 1, 1, 3, 12, tzinfo=UTC)
SETTINGS = AlertSettings(lag_of={"sales_by_day": 600})


def ago(seconds: float) -> datetime:
    return NOW - timedelta(seconds=seconds)


def worker(*, left: float = 8, **more: Any) -> WorkerFacts:
    """``left``: seconds until its lease ends."""
    return WorkerFacts(host="h1", pid=7, lease_until=ago(-left), **more)


def projection(name: str = "orders", **more: Any) -> ProjectionFacts:
    return ProjectionFacts(**{"name": name, "known_at": ago(1), "workers": (worker(),), **more})


def look(*projections: ProjectionFacts, **more: Any) -> Assessment:
    return assess(Snapshot(at=NOW, projections=projections, **more), SETTINGS)


def keys(found: Assessment) -> list[str]:
    return [cause.key for cause in found.causes]


def only(found: Assessment) -> Cause:
    (cause,) = found.causes
    return cause


def test_a_shop_that_is_well_gives_no_cause() -> None:
    assert look(projection(), projection("products")) == Assessment(causes=())


# ---------------------------------------------------------------- dead letters
LETTERS = (
    LetterFacts(
        fingerprint="0a1b", error="ValueError", event_type="ProductRenamed", failing=3, held=9, oldest_at=ago(90)
    ),
    LetterFacts(fingerprint="ffff", error="KeyError", event_type="ProductPriced", failing=1, oldest_at=ago(3700)),
)


def test_dead_letters() -> None:
    cause = only(look(projection("products", letters=LETTERS)))
    assert (cause.key, cause.severity, cause.projection) == ("dead-letters:products", "warning", "products")
    assert cause.summary == "products: 13 events parked as dead letters (ValueError at ProductRenamed)"
    assert cause.since == ago(3700)
    for part in ("4 events failed", "9 later ones", "1 h 1 min ago", "manage.py projector dlq list products", "ffff"):
        assert part in cause.details


def test_dead_letters_of_a_paused_projection_count_too() -> None:
    assert keys(look(projection(letters=LETTERS, paused={"at": ago(5)}))) == ["dead-letters:orders"]


# ---------------------------------------------------------------- lag
@pytest.mark.parametrize(("name", "lag", "expected"), [
    ("orders", 60, []),
    ("orders", 60.1, ["lag:orders"]),
    ("sales_by_day", 600, []),
    ("sales_by_day", 601, ["lag:sales_by_day"]),
])  # fmt: skip
def test_lag_above_the_limit_of_the_projection(name: str, lag: float, expected: list[str]) -> None:
    assert keys(look(projection(name, lag=lag, waiting=5))) == expected


@pytest.mark.parametrize(("seen", "expected"), [(59, []), (61, ["lag:orders"])])
def test_lag_unknown_for_longer_than_the_limit(seen: float, expected: list[str]) -> None:
    found = look(projection(lag=None, known_at=ago(seen)))
    assert keys(found) == expected
    assert all(cause.since == ago(61) and cause.patience == 0 for cause in found.causes)


def test_lag_of_which_nobody_ever_knew_is_given_its_time() -> None:
    assert only(look(projection(lag=None, known_at=None))).patience == SETTINGS.lag


# ---------------------------------------------------------------- workers
@pytest.mark.parametrize(("left", "expected"), [(1, []), (-29, []), (-31, ["heartbeat:orders"])])
def test_a_projection_whose_last_lease_has_ended(left: float, expected: list[str]) -> None:
    found = look(projection(workers=(worker(left=left), worker(left=-500))))
    assert keys(found) == expected
    assert all(cause.since == ago(31) for cause in found.causes)


def test_a_worker_that_ended_cleanly_and_has_no_successor() -> None:
    cause = only(look(projection(workers=())))
    assert (cause.key, cause.patience) == ("heartbeat:orders", SETTINGS.heartbeat)
    assert "manage.py projector run orders" in cause.details


def test_what_nobody_ever_ran_is_not_missed() -> None:
    assert keys(look()) == []


def test_a_hanging_worker() -> None:
    found = look(projection(workers=(worker(left=-2, state="hanging", detail="no turn for 40 s"), worker())))
    cause = only(found)
    assert cause.key == "hanging:orders:h1:7"
    assert "no turn for 40 s" in cause.details
    assert "1 alive" in cause.details


@pytest.mark.parametrize(("ended", "others", "expected"), [(590, 1, True), (610, 1, False), (610, 0, True)])
def test_a_worker_that_hung_is_history_once_others_have_worked_for_a_while(
    ended: float, others: int, expected: bool
) -> None:
    hung = worker(left=-ended, state="hanging")
    found = look(projection(workers=(hung, *[worker()] * others)))
    assert ("hanging:orders:h1:7" in keys(found)) is expected


# ---------------------------------------------------------------- pause
def test_a_pause_raises_no_alert_about_lag_or_workers() -> None:
    found = look(projection(paused={"by": "ann", "at": ago(3600)}, lag=9_999.0, workers=()))
    assert keys(found) == []
    assert not found.knows("lag:orders")
    assert not found.knows("heartbeat:orders")
    assert found.knows("lag:products")


def test_a_pause_of_more_than_a_day() -> None:
    cause = only(look(projection(paused={"by": "ann", "reason": "bug 7", "at": ago(86401)}, lag=9_999.0)))
    assert (cause.key, cause.since) == ("paused:orders", ago(86401))
    for part in ("ann", "bug 7", "manage.py projector resume orders"):
        assert part in cause.details


# ---------------------------------------------------------------- partitions
def blocked(kind: str, partition: int = 3) -> Blocked:
    return Blocked(topic="acme.orders", partition=partition, kind=kind, why=f"because of {partition}", since=ago(50))


def test_each_gap_is_a_cause_of_its_own() -> None:
    found = look(projection(workers=(worker(blocked=(blocked("gap"), blocked("gap", 5))),)))
    assert keys(found) == ["gap:orders:acme.orders[3]", "gap:orders:acme.orders[5]"]
    assert found.causes[0].since == ago(50)
    assert "because of 3" in found.causes[0].details


@pytest.mark.parametrize(
    ("kinds", "key"), [(("epoch", "rewritten"), "epoch:orders"), (("queue-full",) * 2, "queue-full:orders")]
)
def test_epochs_and_full_queues_are_one_cause_for_a_projection(kinds: tuple[str, ...], key: str) -> None:
    parts = tuple(blocked(kind, number) for number, kind in enumerate(kinds))
    cause = only(look(projection(workers=(worker(blocked=parts),))))
    assert (cause.key, cause.severity) == (key, "critical")
    assert "acme.orders[0]" in cause.details
    assert "acme.orders[1]" in cause.details


def test_what_a_dead_worker_said_of_its_partitions_is_not_known_any_more() -> None:
    found = look(projection(workers=(worker(left=-5, blocked=(blocked("gap"),)),)))
    assert keys(found) == []
    assert not found.knows("gap:orders:acme.orders[3]")
    assert not found.knows("queue-full:orders")
    assert found.knows("gap:products:acme.catalog[0]")


# ---------------------------------------------------------------- publisher and engines
@pytest.mark.parametrize(("waits", "expected"), [(30, []), (31, ["publisher:standing-still"])])
def test_a_publisher_that_stands_still(waits: float, expected: list[str]) -> None:
    found = look(publisher=PublisherState(unnumbered=2, oldest_recorded_at=ago(waits), published=70))
    assert keys(found) == expected
    assert all((cause.mark, cause.patience) == ("70", 10.0) for cause in found.causes)


def test_a_halted_publisher_explains_that_it_stands_still() -> None:
    found = look(publisher=PublisherState(epoch=4, halted_reason="sequence 9 is another", oldest_recorded_at=ago(900)))
    assert only(found).key == "publisher:halted"
    assert "sequence 9 is another" in only(found).details
    assert "manage.py relay --new-epoch" in only(found).details
    assert not found.knows("publisher:standing-still")


def test_an_event_log_that_cannot_be_reached() -> None:
    found = look(projection(lag=500.0), publisher=None, event_log_error="OperationalError: refused")
    assert keys(found) == ["event-log:unreachable", "lag:orders"]
    assert "refused" in found.causes[0].details
    assert not found.knows("publisher:halted")
    assert found.knows("dead-letters:orders")


def test_a_read_store_that_cannot_be_reached_says_what_else_is_wrong() -> None:
    snapshot = Snapshot(
        at=NOW, projections=None, read_store_error="no server", publisher=None, event_log_error="refused"
    )
    found = assess(snapshot, SETTINGS)
    assert keys(found) == ["event-log:unreachable", "read-store:unreachable"]
    assert "no server" in found.causes[1].details
    assert "Besides: PostgreSQL cannot be reached" in found.causes[1].details
    assert not any(found.knows(f"{kind}:orders") for kind in ("dead-letters", "lag", "heartbeat", "gap", "paused"))


# ---------------------------------------------------------------- properties
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
facts = st.builds(
    ProjectionFacts,
    name=st.sampled_from(["orders", "carts", "stock"]),
    paused=st.just({}) | st.fixed_dictionaries({"by": st.just("ann"), "at": moments}),
    lag=st.none() | st.floats(0, 10**5),
    waiting=st.integers(0, 100),
    known_at=st.none() | moments,
    letters=st.lists(letters, max_size=3).map(tuple),
    workers=st.lists(workers, max_size=3, unique_by=lambda worker: (worker.host, worker.pid)).map(tuple),
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


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0 s"), (59, "59 s"), (185, "3 min 5 s"), (7800, "2 h 10 min"), (273_600, "3 d 4 h")]
)
def test_durations_in_words(seconds: float, said: str) -> None:
    assert duration(seconds) == said
