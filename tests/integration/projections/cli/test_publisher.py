"""A publisher that stands still is seen in status and lag, as long as PostgreSQL can be asked; else nothing is said."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from acme.ports import PublisherState
from commands.outbox.log import PostgresEventLog, insert_events
from commands.outbox.models import LogEpoch, StreamHead
from projections.cli import publisher
from projections.cli.watch import _Watcher
from projections.registry import PROJECTIONS
from tests.integration.outbox.conftest import event_row
from tests.integration.projections.cli.conftest import Projector
from tests.integration.projections.cli.letters import Store, open_products

WORDS = "the publisher stands still"
BOTH = pytest.mark.parametrize("command", ["status", "lag"])
pytestmark = pytest.mark.usefixtures("shop_database")


@pytest.fixture(autouse=True)
def _worked_on(store: Store) -> None:
    open_products(store)


@pytest.fixture
def halted(shop_database: None) -> None:
    LogEpoch.objects.create(epoch=3, started_at=datetime.now(UTC), halted_reason="Kafka has [more] than the log")


@pytest.fixture
def waiting(shop_database: None) -> datetime:
    """An event that waits for Kafka for five minutes."""
    recorded = datetime.now(UTC) - timedelta(minutes=5)
    insert_events([event_row(recorded_at=recorded)])
    return recorded


@pytest.fixture
def working(shop_database: None) -> Iterator[None]:
    """Somebody who gets something to Kafka every tenth of a second."""
    head = StreamHead.objects.create(topic="acme.carts", partition=0, sequence=1_000_000, published=0)
    stop = threading.Event()

    def work() -> None:
        published = 0
        while not stop.wait(0.1):
            published += 1
            StreamHead.objects.filter(pk=head.pk).update(published=published)
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    yield
    stop.set()
    thread.join()


@BOTH
def test_one_that_works_is_no_news(command: str, projector: Projector) -> None:
    shown = projector(command, "products")
    assert shown.code == 0 and WORDS not in shown.out
    assert projector(command, "products", "--json").json["publisher"]["stands_still"] is False


@BOTH
@pytest.mark.usefixtures("halted")
def test_a_halted_one_is_said(command: str, projector: Projector) -> None:
    shown = projector(command, "products")
    assert f"\n{WORDS}: it is halted in log epoch 3: Kafka has [more] than the log; see manage.py alerts" in shown.out
    assert shown.code == (1 if command == "status" else 0)
    said = projector(command, "products", "--json").json["publisher"]
    assert said["stands_still"] and "epoch 3" in said["why"]


@BOTH
def test_events_that_wait_while_nothing_moves_are_said(command: str, waiting: datetime, projector: Projector) -> None:
    shown = projector(command, "products")
    assert f"{WORDS} since 20" in shown.out and "(5.0 min ago): no event gets to Kafka; see" in shown.out
    assert projector(command, "products", "--json").json["publisher"]["unnumbered"] == 1


@pytest.mark.parametrize("defect", [False, True], ids=["guarded", "seeded defect"])
@pytest.mark.usefixtures("working")
def test_one_that_is_behind_and_works_does_not_stand_still(
    defect: bool, waiting: datetime, projector: Projector, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The defect: nobody looks a second time."""
    if defect:
        monkeypatch.setattr(publisher, "ONE_MOVE", 0.0)
    shown = projector("status", "products", "--json")
    assert shown.code == int(defect) and shown.json["publisher"]["stands_still"] is defect


@BOTH
@pytest.mark.usefixtures("halted")
def test_without_postgresql_nothing_is_said(
    command: str, projector: Projector, gone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MongoDB alone is enough. `halted`: else nothing would be said anyhow."""
    host, port = gone.split(":")
    monkeypatch.setitem(connections["default"].settings_dict, "HOST", host)
    monkeypatch.setitem(connections["default"].settings_dict, "PORT", port)
    shown = projector(command, "products")
    assert shown.code == 0 and "products" in shown.out and WORDS not in shown.out
    assert "publisher" not in projector(command, "products", "--json").json


@pytest.mark.usefixtures("halted")
def test_who_watches_asks_postgresql_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[PublisherState] = []
    real = PostgresEventLog.publisher

    def counting(self: PostgresEventLog) -> PublisherState:
        asked.append(real(self))
        return asked[-1]

    monkeypatch.setattr(PostgresEventLog, "publisher", counting)
    watcher = _Watcher([PROJECTIONS["products"]], None, wide=True)
    for _ in range(3):
        watcher.look()
        assert watcher.json["publisher"]["stands_still"]
    assert len(asked) == 1


def test_who_watches_compares_two_looks(waiting: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publisher, "SECONDS", 0.0)
    looks = publisher.PublisherLooks()
    found = [looks.look() for _ in range(2)]
    assert [row and row["stands_still"] for row in found] == [False, True]
