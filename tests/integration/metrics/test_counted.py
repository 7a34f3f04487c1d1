"""What commands and the publisher count: by outcome, by topic, by reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from prometheus_client import REGISTRY

from acme.bus import BusUnavailable
from acme.devstack.engine import EngineServer
from acme.errors import Busy, Conflict, Forbidden, Invalid, ShopError, StaleVersion
from acme.identity import system
from commands.handling import Done, execute
from commands.outbox.lane import Lane
from commands.outbox.link import Halted
from commands.outbox.publisher import Publisher
from tests.integration.outbox.conftest import record_events

TESTS = system("tests")


class Try:
    """A command of the tests."""


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def ends_with(error: Exception) -> Callable[..., Done]:
    def handler(command: Try, **_: Any) -> Done:
        raise error

    return handler


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (Invalid("no"), "refused"),
        (Forbidden("no"), "refused"),
        (Conflict("no"), "conflict"),
        (StaleVersion("no"), "conflict"),
        (Busy("no"), "busy"),
        (ZeroDivisionError(), "failed"),
    ],
    ids=lambda one: type(one).__name__ if isinstance(one, Exception) else one,
)
def test_a_command_that_ends_badly_is_counted_by_its_outcome(error: Exception, outcome: str) -> None:
    before = value("acme_commands_total", command="Try", outcome=outcome)
    with pytest.raises(type(error)):
        execute(ends_with(error), Try(), actor=TESTS)
    assert value("acme_commands_total", command="Try", outcome=outcome) == before + 1
    assert isinstance(error, ShopError) == (outcome != "failed")


@pytest.mark.django_db
@pytest.mark.parametrize(("changed", "outcome"), [(True, "done"), (False, "unchanged")])
def test_a_command_that_ends_well_is_counted_and_timed(changed: bool, outcome: str) -> None:
    counted, timed = {"command": "Try", "outcome": outcome}, {"command": "Try"}
    before = value("acme_commands_total", **counted), value("acme_command_seconds_count", **timed)
    execute(lambda command, **_: Done(id=uuid4(), version=1, changed=changed), Try(), actor=TESTS)
    after = value("acme_commands_total", **counted), value("acme_command_seconds_count", **timed)
    assert after == (before[0] + 1, before[1] + 1)


@pytest.mark.usefixtures("shop_database")
def test_the_publisher_counts_events_and_sends(kafka_broker: EngineServer) -> None:
    def counted() -> tuple[float, float, float]:
        carts, orders = (value("acme_events_published_total", topic=topic) for topic in ("acme.carts", "acme.orders"))
        return carts, orders, value("acme_publish_seconds_count")

    carts, orders, sends = counted()
    record_events(4, "cart")
    record_events(3, "order")
    with Publisher(kafka_broker.url) as publisher:
        assert publisher.drain() == 7
        assert publisher.drain() == 0
    assert counted() == (carts + 4, orders + 3, sends + 1)


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (BusUnavailable("no broker"), "kafka"),
        (psycopg.OperationalError("no server"), "postgresql"),
        (Halted("Kafka is ahead"), "halted"),
        (ZeroDivisionError(), "error"),
    ],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_the_publisher_counts_why_it_failed(error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> Lane:
        raise error

    before = value("acme_publish_failures_total", reason=reason)
    publisher = Publisher("127.0.0.1:1")
    monkeypatch.setattr(publisher, "_opened", fail)
    with pytest.raises(type(error)):
        publisher.drain()
    assert value("acme_publish_failures_total", reason=reason) == before + 1
