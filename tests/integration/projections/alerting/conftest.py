"""A book in a database of the test's own, a clock set by hand, and channels that keep what they are given."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from acme.alert_settings import AlertSettings
from projections.alerting.book import Book
from projections.alerting.cause import Assessment, Cause, Kind
from projections.alerting.channels import ChannelFailed
from projections.alerting.check import tell
from projections.alerting.message import Message
from projections.alerting.telling import Ledger
from queries.documents import connection
from tests.sinks import HttpSink, SmtpSink

START = datetime(2026, 1, 1, 3, tzinfo=UTC)
SETTINGS = AlertSettings()


@dataclass
class Keeping:
    """A channel. ``broken``: it refuses everything; ``dies``: the process ends while it sends."""

    name: str = "webhook"
    got: list[Message] = field(default_factory=list)
    broken: bool = False
    dies: bool = False
    refused: int = 0

    def send(self, message: Message) -> None:
        if self.dies:
            raise SystemExit("killed")
        if self.broken:
            self.refused += 1
            raise ChannelFailed("it is broken")
        self.got.append(message)

    @property
    def states(self) -> list[str]:
        return [message.state for message in self.got]


def cause(key: str = "lag:orders", **more: Any) -> Cause:
    kind = Kind(key.partition(":")[0])
    texts = {"severity": "warning", "summary": f"{key} is wrong", "details": "look"}
    return Cause(**{"kind": kind, "key": key, "projection": "orders", **texts, **more})


@dataclass
class Checks:
    """Checks by a clock of their own, in seconds after `START`."""

    book: Ledger
    channels: tuple[Keeping, ...]
    now: datetime = START

    def check(self, *causes: Cause, at: float | None = None, unknown: tuple[str, ...] = ()) -> int:
        """One check that finds these causes; returns how many messages were accepted."""
        self.now = self.now + timedelta(seconds=10) if at is None else START + timedelta(seconds=at)
        return tell(self.book, Assessment(causes=causes, unknown=unknown), self.channels, self.now)[0]


@pytest.fixture
def store(mongo: str, mongo_database: str) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient(mongo, tz_aware=True, w="majority") as client:
        yield client[mongo_database]


@pytest.fixture
def channel() -> Keeping:
    return Keeping()


@pytest.fixture
def checks(store: Database[dict[str, Any]], channel: Keeping) -> Checks:
    return Checks(Book(store, SETTINGS), (channel,))


@pytest.fixture
def read_store(
    mongo: str,
    mongo_database: str,
    point_mongodb: Callable[[str], None],
) -> Database[dict[str, Any]]:
    """An empty database, from which this process reads until the test ends."""
    point_mongodb(f"{mongo.rpartition('/')[0]}/{mongo_database}")
    return connection.database()


@pytest.fixture
def smtp(settings: Any) -> Iterator[SmtpSink]:
    """A mail server, and Django's settings for it as the environment would make them."""
    with SmtpSink() as sink:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
        yield sink


@pytest.fixture
def hook() -> Iterator[HttpSink]:
    with HttpSink() as sink:
        yield sink
