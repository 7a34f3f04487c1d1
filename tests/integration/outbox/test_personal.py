"""The key of a data subject: made once, by whoever comes first."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from django.db import DatabaseError, connection, transaction

from acme.contracts.envelope import Sealed
from commands.outbox import personal
from commands.outbox.models import DataSubjectKey
from commands.outbox.personal import DataSubjectKeys, seal
from tests.integration.outbox.conftest import in_thread, wait_until

SUBJECT = "customer:ada"
ADA = {"email": "ada@example.org"}


def opened(sealed: dict[str, str], event_id: Any) -> Any:
    return DataSubjectKeys().unseal(Sealed(**sealed), event_id)


def test_a_second_event_of_a_subject_has_the_same_key(shop_database: None) -> None:
    ids = [uuid4(), uuid4()]
    sealed = [seal(SUBJECT, event_id, ADA) for event_id in ids]
    assert [opened(box, event_id) for box, event_id in zip(sealed, ids, strict=True)] == [ADA, ADA]
    assert DataSubjectKey.objects.count() == 1


def test_two_that_make_the_key_at_once_have_the_same(shop_database: None) -> None:
    """The second waits for the first, and sees its key only with its next statement."""
    made, may_commit = threading.Event(), threading.Event()
    ids = [uuid4(), uuid4()]

    def first() -> dict[str, str]:
        with transaction.atomic():
            sealed = seal(SUBJECT, ids[0], ADA)
            made.set()
            assert may_commit.wait(20)
        return sealed

    def second() -> dict[str, str]:
        assert made.wait(20)
        return seal(SUBJECT, ids[1], ADA)

    with ThreadPoolExecutor(2) as threads:
        tasks = [threads.submit(in_thread(first)), threads.submit(in_thread(second))]
        try:
            wait_until(_somebody_waits_for_a_lock)
        finally:
            may_commit.set()
        sealed = [task.result(20) for task in tasks]
    assert [opened(box, event_id) for box, event_id in zip(sealed, ids, strict=True)] == [ADA, ADA]


def _somebody_waits_for_a_lock() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(cursor.fetchone()[0])


def test_a_key_that_cannot_be_had_is_an_error(shop_database: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(personal, "KEY_OF", "SELECT key FROM data_subject_key WHERE subject IN (%s, 'x') AND key = %s "
                                            "AND subject = %s")  # fmt: skip
    with pytest.raises(DatabaseError, match="again and again"):
        seal(SUBJECT, uuid4(), ADA)
