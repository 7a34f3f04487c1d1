"""A second start keeps all data; Kafka, empty in memory, is filled again without anything counting twice."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg

from tests.faults.load import Load
from tests.faults.test_kill9 import settled_differences, stored_orders
from tests.stack import Stack


def test_second_start_keeps_everything(acme_stack: Callable[..., Stack]) -> None:
    home = Path(tempfile.mkdtemp(prefix="acme-restart-"))
    first = acme_stack("--no-demo", home=home)
    with Load(first, seed=1) as load:
        time.sleep(6)
    assert not load.errors
    # Stopped at once: what is not projected yet must come after the second start.
    assert first.stop() == 0

    second = acme_stack("--no-demo", home=home)
    assert settled_differences(second) == {}
    assert stored_orders(second) == load.orders != set()
    with psycopg.connect(second.urls["DATABASE_URL"]) as link:
        (behind,) = link.execute("SELECT count(*) FROM stream_head WHERE published < sequence").fetchone() or (0,)
        (numbered,) = link.execute("SELECT count(*) FROM domain_event WHERE sequence IS NOT NULL").fetchone() or (0,)
    assert (behind, numbered > 50) == (0, True)

    with Load(second, seed=2) as more:
        time.sleep(4)
    assert not more.errors
    assert settled_differences(second) == {}
    assert stored_orders(second) == load.orders | more.orders
    assert second.stop() == 0
