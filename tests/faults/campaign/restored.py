"""PostgreSQL restored to an earlier moment: it must be noticed by everybody, and an operator must find the way out.

The restore itself loses what was answered since, so this has an account of its own: what was answered before the copy
or after the restore must be there in the end.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import psycopg
from pymongo import MongoClient

from tests.faults.campaign.account import differences, shown_orders, stored_orders
from tests.faults.campaign.kinds.stores import copied, empty_broker
from tests.faults.campaign.progress import progress, projections
from tests.faults.campaign.shop import OpenShop
from tests.faults.load import Load
from tests.faults.processes import LONG

ORDERS = 10  # before the copy, and since
SINCE_THE_COPY = 100  # events at least
DIVERGED = ["epoch", "rewritten"]
NOTICED = 180.0  # seconds; an emptied broker and its groups come back within some forty


def put_back(shop: OpenShop, seed: int, *, broker_too: bool = False) -> set[str]:
    """Load, copy, load, restore; answers the orders that were answered before the copy. ``broker_too``: it is empty
    then, and cannot tell that it knew more."""
    older = shop.home.root / "older-postgres"
    with Load(shop, seed) as before:
        wait(lambda: len(before.orders) >= ORDERS or before.errors, "orders before the copy")
    assert not before.errors, before.errors
    with shop.down("postgres", gently=True):
        copied(shop.home.data("postgres"), older)
    at_the_copy = recorded(shop)
    with Load(shop, seed + 1) as gone:
        wait(lambda: lost_enough(shop, at_the_copy, gone) or gone.errors, "events since the copy")
    assert not gone.errors, gone.errors
    wait(lambda: (found := progress(shop.urls)) is not None and found.waiting == 0, "all of it is projected")
    with shop.down("postgres", gently=True):
        copied(older, shop.home.data("postgres"))
        if broker_too:
            with shop.down("kafka"):
                empty_broker(shop)
    shop.wait_running()
    assert not gone.orders & stored_orders(shop).keys(), "the restore has lost these"
    return before.orders


def halted(shop: OpenShop) -> str:
    """Why the publisher is halted; empty when it is not."""
    with psycopg.connect(shop.urls["DATABASE_URL"]) as link:
        row = link.execute("SELECT halted_reason FROM log_epoch ORDER BY epoch DESC LIMIT 1").fetchone()
    return str(row[0]) if row else ""


def alerts(shop: OpenShop) -> set[str]:
    """Keys of what `manage.py alerts` says now."""
    answer = json.loads(shop.manage("alerts", "--json", check=False).stdout)
    return {str(cause["key"]) for cause in answer["alerts"]}


def diverged(shop: OpenShop) -> set[str]:
    """Projections of which a partition has stopped because its log is another one now."""
    with MongoClient(shop.urls["MONGODB_URL"]) as client:
        rows = client.get_default_database()["projection_workers"].find({"blocked.kind": {"$in": DIVERGED}})
        return {row["projection"] for row in rows}


def way_out(shop: OpenShop) -> None:
    """What the documentation tells an operator: a new epoch, then every read model anew."""
    shop.manage("relay", "--new-epoch", "--yes")
    wait(lambda: diverged(shop), "readers of the old epoch stop")
    with ThreadPoolExecutor(3) as operators:
        list(operators.map(partial(made_anew, shop), projections(shop.urls)))


def made_anew(shop: OpenShop, name: str) -> None:
    """A rebuild, as the alert advises; in the short form the quicker reset."""
    command = ("rebuild", name, "--workers", "1") if LONG else ("reset", name)
    shop.manage("projector", *command, "--yes", seconds=600)


def equal_again(shop: OpenShop, answered: set[str], seconds: float = 300) -> None:
    """Log, tables and documents say the same, and the answered orders are there."""
    wait(lambda: (found := progress(shop.urls)) is not None and found.waiting == 0, "all is projected", seconds)
    wait(lambda: not differences(shop), "log, tables and documents are equal", seconds)
    assert answered <= stored_orders(shop).keys()
    assert answered <= shown_orders(shop)


def lost_enough(shop: OpenShop, at_the_copy: int, gone: Load) -> bool:
    """Also of orders, whose read models are asked."""
    return recorded(shop) >= at_the_copy + SINCE_THE_COPY and len(gone.orders) >= ORDERS


def recorded(shop: OpenShop) -> int:
    """Events in the log. Waits until it can be asked: a PostgreSQL that has just been started cannot."""
    begun = time.monotonic()
    while (found := progress(shop.urls)) is None:
        assert time.monotonic() < begun + NOTICED, "the log cannot be asked"
        time.sleep(0.1)
    return found.recorded


def wait(true: Callable[[], Any], what: str, seconds: float = NOTICED) -> None:
    begun = time.monotonic()
    while not true():
        assert time.monotonic() < begun + seconds, f"not in {seconds:.0f} s: {what}"
        time.sleep(0.1)
    print(f"{time.strftime('%H:%M:%S')} {what}: after {time.monotonic() - begun:.1f} s")
