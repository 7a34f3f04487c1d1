"""The outbox's states, as a scrape shows them, and what publishing counts."""

from __future__ import annotations

import socket
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connections

from acme.metrics import DECLARED
from commands.outbox.log import insert_events
from commands.outbox.metrics import OUTBOX_STATE
from commands.outbox.models import DomainEvent, LogEpoch, StreamHead
from tests.integration.metrics.conftest import Samples, names, scrape
from tests.integration.outbox.conftest import event_row

STATES = {one.name for one in DECLARED if one.name.startswith(("acme_outbox_", "acme_publisher_"))}
SCRAPE = {"acme_scrape_collector_success", "acme_scrape_collector_seconds"}
AGE = "acme_outbox_oldest_age_seconds"
HALTED = "acme_publisher_halted"


def shown() -> Samples:
    return scrape(OUTBOX_STATE)


def waiting(samples: Samples) -> tuple[float, float]:
    """Unnumbered, unpublished."""
    unnumbered, unpublished = (samples[f'acme_outbox_events{{stage="{one}"}}'] for one in ("unnumbered", "unpublished"))
    return unnumbered, unpublished


def recorded(age: float, sequence: int | None = None) -> None:
    """An event in one certain partition of carts."""
    moment = datetime.now(UTC) - timedelta(seconds=age)
    row = event_row(recorded_at=moment, partition=0)
    insert_events([row])
    if sequence is not None:
        DomainEvent.objects.filter(event_id=row.event_id).update(sequence=sequence)


@pytest.mark.usefixtures("shop_database")
def test_nothing_waits() -> None:
    samples = shown()
    assert waiting(samples) == (0, 0)
    assert (samples[AGE], samples[HALTED]) == (0, 0)
    assert names(samples) == STATES | SCRAPE, "every declared state is exported, and nothing else"
    assert samples['acme_scrape_collector_success{collector="outbox"}'] == 1


@pytest.mark.usefixtures("shop_database")
def test_what_waits_and_since_when() -> None:
    for age, sequence in ((500, 1), (70, 2), (60, 3), (20, None)):
        recorded(age, sequence)
    StreamHead.objects.create(topic="acme.carts", partition=0, sequence=3, published=1)
    samples = shown()
    assert waiting(samples) == (1, 2)
    assert 70 <= samples[AGE] < 80, "the published one no longer counts"
    StreamHead.objects.update(published=3)
    samples = shown()
    assert waiting(samples) == (1, 0)
    assert 20 <= samples[AGE] < 30


@pytest.mark.usefixtures("shop_database")
def test_halted_until_a_new_epoch_starts() -> None:
    LogEpoch.objects.create(epoch=1, started_at=datetime.now(UTC), halted_reason="Kafka is ahead")
    assert shown()[HALTED] == 1
    LogEpoch.objects.create(epoch=2, started_at=datetime.now(UTC))
    assert shown()[HALTED] == 0


@pytest.mark.parametrize("listens", [True, False])
def test_a_database_that_is_down_is_said_in_time(listens: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        # The dictionary itself, which every thread's connection has.
        monkeypatch.setitem(connections.settings["default"], "HOST", "127.0.0.1")
        monkeypatch.setitem(connections.settings["default"], "PORT", str(server.getsockname()[1]))
        if not listens:
            server.close()
        started = time.monotonic()
        samples = shown()
        assert time.monotonic() - started < 2.5
    assert names(samples) == SCRAPE
    assert samples['acme_scrape_collector_success{collector="outbox"}'] == 0
