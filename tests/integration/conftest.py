"""Fixtures on real engines that several rooms share.

The append-only event log refuses the TRUNCATE with which Django empties the database after a test with real commits.
While integration tests run, `empty_database` takes its place, so ``transactional_db``, ``live_server`` and
``@pytest.mark.django_db(transaction=True)`` work as usual; `shop_database` is their short name.
"""

from __future__ import annotations

import dataclasses
import socket
from collections.abc import Callable, Iterator

import pytest
from django.db import connection
from django.test import TransactionTestCase

from acme.env import env
from queries.documents import connection as read_store

# Filled by migrations and by nobody else: content types, permissions, and the record of the migrations themselves.
KEPT = {"django_migrations", "django_content_type", "auth_permission"}


@pytest.fixture(scope="session", autouse=True)
def _emptied_by_its_owner() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda self: empty_database())
        yield


@pytest.fixture(scope="session", autouse=True)
def _published_by_hand() -> Iterator[None]:
    """No commit of a test wakes the publisher thread: it would hold the test database while it is emptied."""
    from commands.outbox import wake

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wake, "enabled", False)
        yield


@pytest.fixture
def shop_database(transactional_db: None) -> None:
    """The test database with real commits: for threads, `on_commit`, and other processes. Emptied afterwards.

    A thread that a test starts closes its own connection (`django.db.connections.close_all`).
    """


@pytest.fixture
def silent() -> Iterator[str]:
    """host:port that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def gone() -> str:
    """host:port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def empty_database() -> None:
    """Truncates all tables and restarts their sequences; needs the owner of the tables, not a superuser."""
    tables = [name for name in connection.introspection.table_names() if name not in KEPT]
    names = ", ".join(connection.ops.quote_name(name) for name in tables)
    with connection.cursor() as cursor:
        cursor.execute(
            f"BEGIN; ALTER TABLE domain_event DISABLE TRIGGER domain_event_no_truncate; "
            f"TRUNCATE {names} RESTART IDENTITY; "
            f"ALTER TABLE domain_event ENABLE TRIGGER domain_event_no_truncate; COMMIT"
        )


@pytest.fixture
def point_mongodb(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str | None], None]]:
    """Makes the process use the MongoDB at that URL, or none, until the test ends."""

    def point(url: str | None) -> None:
        monkeypatch.setattr(read_store, "env", dataclasses.replace(env, mongodb_url=url))
        read_store.reset_connection()

    yield point
    read_store.reset_connection()
