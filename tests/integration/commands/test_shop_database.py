"""The shared fixture `shop_database`: real commits, and an empty log for the next test."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.db import IntegrityError, connection, transaction

from commands.outbox.models import DomainEvent, LogEpoch


@pytest.mark.parametrize("_run", [1, 2])
def test_each_test_finds_an_empty_database(shop_database: None, _run: int) -> None:
    assert not LogEpoch.objects.exists()
    LogEpoch.objects.create(epoch=1, started_at=datetime.now(UTC))
    assert not connection.in_atomic_block


def test_the_log_still_refuses_truncate(shop_database: None) -> None:
    with pytest.raises(IntegrityError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {DomainEvent._meta.db_table}")
