"""Which causes hold, from hand-made snapshots: each kind, what suppresses it, and what cannot be judged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from acme.ports import PublisherState
from projections.alerting.cause import Assessment
from projections.alerting.causes import assess
from projections.alerting.facts import LetterFacts, Snapshot
from projections.alerting.words import duration
from tests.unit.projections.alerting.looks import (
    NOW,
    SETTINGS,
    STREAMS,
    ago,
    blocked,
    keys,
    look,
    only,
    projection,
    worker,
)


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


def test_a_partition_is_not_judged_until_another_worker_holds_it() -> None:
    """Its worker was killed, others of the projection live: what stood still stands still."""
    other = replace(worker(holds=frozenset({"acme.orders[4]"})), pid=8)
    dead = worker(left=-1, holds=frozenset({"acme.orders[3]"}), blocked=(blocked("gap", 3),))
    found = look(projection(streams=STREAMS, workers=(dead, other)))
    assert keys(found) == []
    assert not any(found.knows(key) for key in ("gap:orders:acme.orders[3]", "epoch:orders", "queue-full:orders"))
    assert found.knows("gap:orders:acme.orders[4]")
    taken = look(projection(streams=STREAMS, workers=(dead, replace(other, holds=STREAMS))))
    assert all(taken.knows(key) for key in ("gap:orders:acme.orders[3]", "epoch:orders", "queue-full:orders"))


def test_a_pause_does_not_end_a_gap() -> None:
    """A worker that rests forgets after a while that a partition could not go on, and does not look again."""
    paused = {"by": "ann", "at": ago(100)}
    found = look(projection(streams=STREAMS, paused=paused, workers=(worker(holds=STREAMS),)))
    assert not any(found.knows(key) for key in ("gap:orders:acme.orders[3]", "epoch:orders", "queue-full:orders"))
    holder = worker(holds=STREAMS, blocked=(blocked("gap"),))
    still = look(projection(streams=STREAMS, paused=paused, workers=(holder,)))
    assert keys(still) == ["gap:orders:acme.orders[3]"]


def test_what_one_partition_says_holds_while_another_is_not_judged() -> None:
    found = look(projection(streams=STREAMS, workers=(worker(blocked=(blocked("epoch"),)),)))
    assert keys(found) == ["epoch:orders"]
    assert found.knows("epoch:orders")
    assert not found.knows("queue-full:orders")


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


# ---------------------------------------------------------------- words
@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "0 s"), (59, "59 s"), (185, "3 min 5 s"), (7800, "2 h 10 min"), (273_600, "3 d 4 h")]
)
def test_durations_in_words(seconds: float, said: str) -> None:
    assert duration(seconds) == said
