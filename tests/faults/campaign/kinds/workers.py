"""Workers among themselves: one that sleeps past its session, storms of joining and leaving, a poison event."""

from __future__ import annotations

import sys
import time
from typing import Any
from uuid import uuid4

import httpx
from pymongo import MongoClient

from tests.faults.campaign.campaign import Campaign
from tests.faults.campaign.progress import projections
from tests.faults.campaign.shop import OpenShop
from tests.faults.defective import POISON
from tests.faults.load import Load

TAKEN_OVER = 3  # projections, of which a second projector has partitions by then
POISONED = ("customers", "products", "sales_by_day")


def projector_suspended(campaign: Campaign) -> None:
    """A projector is stopped until another one has its partitions; then it wakes up and believes that they are its."""
    shop = campaign.shop
    with shop.beside("projector-2", gently=campaign.moments.random() < 0.5):
        with shop.suspended("projector-1"):
            _until(lambda: len(_working(shop, "projector-2")) >= TAKEN_OVER, 60, "the second projector takes over")
            time.sleep(campaign.moments.uniform(0.5, 2))
        time.sleep(campaign.moments.uniform(0, 2))


def rebalance_storm(campaign: Campaign) -> None:
    """Projectors join and leave, some by SIGKILL, before anybody has settled."""
    for number in range(2):
        with campaign.shop.beside(f"projector-{2 + number}", gently=campaign.moments.random() < 0.5):
            time.sleep(campaign.moments.uniform(0.5, 3))
        if campaign.moments.random() < 0.3:
            campaign.shop.kill9("projector-1")


def poison(campaign: Campaign) -> None:
    """A release of the projector refuses some events; they are parked, and retried once it is mended."""
    shop = campaign.shop
    names = projections(shop.urls)
    shop.exchange("projector-1", (sys.executable, "-m", "tests.faults.defective", *names), gently=True)
    with httpx.Client(base_url=f"{shop.base_url}/api/v1/", timeout=30) as client:
        campaign.orders.add(_sell_poison(Load(shop, 0), client))
    _until(lambda: all(_letters(shop, name) for name in POISONED), 120, "the poison is parked")
    shop.exchange("projector-1", gently=True)
    shop.wait_running("projector-1")
    _until(lambda: _working(shop) >= {*POISONED}, 120, "the mended projector has partitions")
    for name in POISONED:
        shop.manage("projector", "dlq", "retry", name, "--all", "--yes")
        assert not _letters(shop, name), f"{name}: some letters are left"
    campaign.older = None  # a copy may have the letters


def _sell_poison(buyer: Load, client: httpx.Client) -> str:
    """A product that such a projector refuses: its price is set twice, and one is sold; answers the order's id."""
    sku = f"{POISON}-{uuid4().hex[:8]}"
    variant = {"sku": sku, "price": _pounds(500)}
    product = buyer.post(client, "products", {"name": sku, "variants": [variant], "publish": True})["id"]
    for pence in (600, 700):
        buyer.post(client, f"products/{product}/set-price", {"sku": sku, "price": _pounds(pence)})
    buyer.post(client, f"stock/{sku}/receive", {"quantity": 5})
    order = str(buyer.post(client, "orders", {"lines": [{"sku": sku, "quantity": 1}]})["id"])
    buyer.post(client, f"orders/{order}/pay", {"amount": _pounds(700)})
    return order


def _pounds(pence: int) -> dict[str, Any]:
    return {"amount_minor": pence, "currency": "GBP"}


def _letters(shop: OpenShop, name: str) -> int:
    with MongoClient(shop.urls["MONGODB_URL"]) as client:
        found: int = client.get_default_database()["projection_dead_letters"].count_documents({"projection": name})
    return found


def _working(shop: OpenShop, process: str = "projector-1") -> set[str]:
    """Projections whose workers in that process have partitions."""
    with MongoClient(shop.urls["MONGODB_URL"]) as client:
        rows = client.get_default_database()["projection_workers"].find({"pid": shop.pid_of(process)})
        return {row["projection"] for row in rows if row.get("partitions")}


def _until(true: Any, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not in {seconds:.0f} s: {what}"
        time.sleep(0.1)
