"""Claims in the book: a process that dies while it sends, one that is slow, and many that check at once.

Each rule is run twice, as in test_book.py: the second time with a guard taken away, where it must fail.
"""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from pymongo.database import Database

from projections.alerting import book as book_module
from projections.alerting.book import Book, BookClaim
from projections.alerting.cause import Assessment
from projections.alerting.check import tell
from tests.integration.projections.alerting.conftest import SETTINGS, START, Checks, Keeping, cause

Store = Database[dict[str, Any]]
LAG = cause()
PATIENT = cause("heartbeat:orders", patience=30.0)


# ---------------------------------------------------------------- a crash
def a_crash_while_sending_is_made_good(checks: Checks, channel: Keeping) -> None:
    channel.dies = True
    with pytest.raises(SystemExit):
        checks.check(LAG, at=0)
    channel.dies = False
    checks.check(LAG, at=30)
    assert channel.states == [], "it is claimed"
    checks.check(LAG, at=61)
    checks.check(LAG, at=70)
    assert channel.states == ["open"]


def test_a_crash_while_sending_is_made_good(checks: Checks, channel: Keeping) -> None:
    a_crash_while_sending_is_made_good(checks, channel)


def test_defect_claims_for_ever(checks: Checks, channel: Keeping, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book_module, "CLAIM", timedelta(days=1))
    with pytest.raises(AssertionError):
        a_crash_while_sending_is_made_good(checks, channel)


def test_what_is_sent_again_after_a_crash_has_the_same_id(
    checks: Checks, channel: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receiver had it, and the process died before it wrote that down."""

    def die(*_: Any) -> None:
        raise SystemExit("killed")

    with monkeypatch.context() as patch:
        patch.setattr(Book, "sent", die)
        with pytest.raises(SystemExit):
            checks.check(LAG, at=0)
    checks.check(LAG, at=61)
    assert len(channel.got) == 2
    assert len({message.id for message in channel.got}) == 1


def test_a_claim_that_lapsed_is_not_used_any_more(store: Store) -> None:
    book, hook = Book(store, SETTINGS), Keeping()
    now, later = START, START + timedelta(seconds=61)
    found = Assessment(causes=(LAG,))
    book.note(found, now)
    (due,) = book.due(("webhook",), found, now)
    slow = book.claim(due, now)
    assert slow is not None
    tell(book, found, (hook,), later)
    book.sent(slow, due, later)
    (entry,) = book.entries()
    assert (entry["sent"], entry["claims"], hook.states) == ({"webhook": 1}, {}, ["open"])


# ---------------------------------------------------------------- two at once
def two_checks_at_once_send_one_message(store: Store) -> None:
    """Eight threads with books of their own go through the same states side by side."""
    hook = Keeping()
    threads, together = 8, threading.Barrier(8)

    def checker() -> None:
        book = Book(store, SETTINGS)
        for seconds in range(0, 100, 10):
            together.wait(30)
            causes = (LAG, PATIENT) if seconds < 50 else ()
            tell(book, Assessment(causes=causes), (hook,), START + timedelta(seconds=seconds))

    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(checker) for _ in range(threads)]:
            done.result()
    assert sorted((message.key, message.state) for message in hook.got) == [
        ("heartbeat:orders", "open"),
        ("heartbeat:orders", "over"),
        ("lag:orders", "open"),
        ("lag:orders", "over"),
    ]


def test_two_checks_at_once_send_one_message(store: Store) -> None:
    two_checks_at_once_send_one_message(store)


def test_defect_everybody_claims(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Book, "claim", lambda self, due, now: BookClaim(key=due.message.key, token="mine"))
    with pytest.raises(AssertionError):
        two_checks_at_once_send_one_message(store)
