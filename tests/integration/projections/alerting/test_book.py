"""The book in MongoDB: one message for a cause and hour, one when it is over, whoever checks and whatever dies.

Each rule is a function that is run twice: as it is, and with one guard of the code taken away, where it must fail.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pymongo.database import Database

from projections.alerting import book as book_module
from projections.alerting import telling
from projections.alerting.book import Book
from projections.alerting.cause import Assessment
from projections.alerting.telling import Standing
from tests.integration.projections.alerting.conftest import SETTINGS, START, Checks, Keeping, cause

Store = Database[dict[str, Any]]
LAG = cause()


# ---------------------------------------------------------------- one message, then over
def once_an_hour_and_once_when_over(checks: Checks, channel: Keeping) -> None:
    for seconds in range(0, 3600, 100):
        checks.check(LAG, at=seconds)
    assert channel.states == ["open"]
    checks.check(LAG, at=3600)
    assert channel.states == ["open", "open"], "it goes on after an hour"
    for seconds in range(3610, 4000, 10):
        checks.check(at=seconds)
    assert channel.states == ["open", "open", "over"]
    assert len({message.id for message in channel.got}) == 3
    assert {message.opened_at for message in channel.got} == {START}


def test_once_an_hour_and_once_when_over(checks: Checks, channel: Keeping) -> None:
    once_an_hour_and_once_when_over(checks, channel)


def test_defect_what_was_told_is_forgotten(checks: Checks, channel: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Book, "sent", lambda self, claim, due, now: None)
    with pytest.raises(AssertionError):
        once_an_hour_and_once_when_over(checks, channel)


def test_nothing_is_over_of_which_nobody_was_told(checks: Checks, channel: Keeping, store: Store) -> None:
    channel.broken = True
    checks.check(LAG)
    channel.broken = False
    for _ in range(10):
        checks.check()
    assert channel.states == []
    assert store["projection_alerts"].count_documents({}) == 0


# ---------------------------------------------------------------- flapping
def a_gap_of_one_check_says_nothing(checks: Checks, channel: Keeping) -> None:
    for _ in range(20):
        checks.check(LAG)
        checks.check()
    assert channel.states == ["open"]


def test_a_gap_of_one_check_says_nothing(checks: Checks, channel: Keeping) -> None:
    a_gap_of_one_check_says_nothing(checks, channel)


def test_defect_over_at_once(checks: Checks, channel: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telling, "is_over", lambda standing, now, settings: True)
    with pytest.raises(AssertionError):
        a_gap_of_one_check_says_nothing(checks, channel)


def a_cause_that_returns_is_told_less_and_less_often(checks: Checks, channel: Keeping) -> None:
    """Half a minute there, half a minute not, for an hour: 60 times."""
    for seconds in range(0, 3600, 10):
        checks.check(*([LAG] if seconds % 60 < 30 else []), at=seconds)
    assert channel.states == ["open", "over", "open"], "the last word is not a wrong one"
    for seconds in range(3600, 7300, 10):
        checks.check(at=seconds)
    assert channel.states == ["open", "over", "open", "over"]


def test_a_cause_that_returns_is_told_less_and_less_often(checks: Checks, channel: Keeping) -> None:
    a_cause_that_returns_is_told_less_and_less_often(checks, channel)


def test_defect_returns_are_not_counted(checks: Checks, channel: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "standing", lambda row: replace(_standing(row), returned=0))
    with pytest.raises(AssertionError):
        a_cause_that_returns_is_told_less_and_less_often(checks, channel)


_standing: Callable[[dict[str, Any]], Standing] = book_module.standing


def test_after_an_hour_of_quiet_a_cause_is_new(checks: Checks, channel: Keeping, store: Store) -> None:
    checks.check(LAG, at=0)
    for seconds in (10, 20, 30, 40, 3700):
        checks.check(at=seconds)
    assert store["projection_alerts"].count_documents({}) == 0
    checks.check(LAG, at=3710)
    checks.check(at=3720)
    checks.check(at=3740)
    assert channel.states == ["open", "over", "open", "over"]


# ---------------------------------------------------------------- patience
PATIENT = cause("heartbeat:orders", patience=30.0)


def patience_wants_every_check(checks: Checks, channel: Keeping) -> None:
    for seconds in (0, 10, 20):
        checks.check(PATIENT, at=seconds)
    checks.check(at=25)
    for seconds in (30, 40, 50):
        checks.check(PATIENT, at=seconds)
    assert channel.states == []
    checks.check(PATIENT, at=60)
    assert channel.states == ["open"]


def test_patience_wants_every_check(checks: Checks, channel: Keeping) -> None:
    patience_wants_every_check(checks, channel)


def test_defect_impatience(checks: Checks, channel: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "standing", lambda row: replace(_standing(row), patience=0))
    with pytest.raises(AssertionError):
        patience_wants_every_check(checks, channel)


def test_what_moves_does_not_stand_still(checks: Checks, channel: Keeping) -> None:
    """A publisher that sends a long log again: the oldest event waits, and the cursor moves."""
    for number in range(10):
        checks.check(cause("publisher:standing-still", patience=10.0, mark=str(number)))
    assert channel.states == []
    checks.check(cause("publisher:standing-still", patience=10.0, mark="9"))
    assert channel.states == ["open"]


# ---------------------------------------------------------------- what cannot be looked at
def what_is_not_known_is_not_over(checks: Checks, channel: Keeping) -> None:
    checks.check(LAG, at=0)
    for seconds in range(10, 8000, 10):
        checks.check(at=seconds, unknown=("lag:orders",))
    assert channel.states == ["open"], "neither over, nor told again as if it had been seen"
    checks.check(LAG, at=8000)
    assert channel.states == ["open", "open"]


def test_what_is_not_known_is_not_over(checks: Checks, channel: Keeping) -> None:
    what_is_not_known_is_not_over(checks, channel)


def test_defect_everything_is_thought_to_be_known(
    checks: Checks, channel: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Assessment, "knows", lambda self, key: True)
    with pytest.raises(AssertionError):
        what_is_not_known_is_not_over(checks, channel)


def test_a_look_before_not_knowing_does_not_end_it_with_one_after(checks: Checks, channel: Keeping) -> None:
    """A worker that looks again has nothing to say for a moment; killed then, it leaves the partition to nobody."""
    checks.check(LAG, at=0)
    checks.check(at=10)
    checks.check(at=20, unknown=("lag",))
    checks.check(at=500)
    assert channel.states == ["open"]
    checks.check(at=521)
    assert channel.states == ["open", "over"]


def test_after_not_knowing_one_look_does_not_end_it(checks: Checks, channel: Keeping) -> None:
    checks.check(LAG, at=0)
    checks.check(at=500, unknown=("lag",))
    checks.check(at=510)
    assert channel.states == ["open"]
    checks.check(at=531)
    assert channel.states == ["open", "over"]


# ---------------------------------------------------------------- failing channels
def test_a_failing_channel_is_tried_again_and_the_other_is_left_alone(store: Store) -> None:
    mail, hook = Keeping("email"), Keeping("webhook", broken=True)
    checks = Checks(Book(store, SETTINGS), (mail, hook))
    checks.check(LAG)
    checks.check(LAG)
    assert (mail.states, hook.states, hook.refused) == (["open"], [], 2)
    (entry,) = Book(store, SETTINGS).entries()
    assert (entry["failures"]["webhook"]["count"], entry["failures"]["webhook"]["reason"]) == (2, "it is broken")
    hook.broken = False
    checks.check(LAG)
    assert (mail.states, hook.states) == (["open"], ["open"])
    assert Book(store, SETTINGS).entries()[0]["failures"] == {}


def test_over_is_tried_again_too(store: Store) -> None:
    mail, hook = Keeping("email"), Keeping("webhook")
    checks = Checks(Book(store, SETTINGS), (mail, hook))
    checks.check(LAG)
    mail.broken = True
    for _ in range(5):
        checks.check()
    assert (mail.states, hook.states) == (["open"], ["open", "over"])
    mail.broken = False
    for _ in range(5):
        checks.check()
    assert (mail.states, hook.states) == (["open", "over"], ["open", "over"])


def test_a_channel_that_fails_is_asked_once_in_a_check(checks: Checks, channel: Keeping) -> None:
    channel.broken = True
    checks.check(*(cause(f"lag:{name}") for name in ("a", "b", "c")))
    assert channel.refused == 1


def test_a_message_that_is_always_refused_does_not_stop_the_others(checks: Checks, channel: Keeping) -> None:
    channel.broken = True
    checks.check(cause("lag:a"))
    channel.broken = False
    checks.check(cause("lag:a"), cause("lag:b"))
    assert [message.key for message in channel.got] == ["lag:b", "lag:a"]
