"""Stores that lose what they had: a broker that comes back empty, a read store that is put back to an older copy."""

from __future__ import annotations

import shutil
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path

from tests.faults.campaign.campaign import Campaign
from tests.faults.campaign.shop import OpenShop

YOUNGER_BY = 60  # events at least, between a copy and the moment at which it is put back


def copied(source: Path, target: Path) -> None:
    """The directory anew under another name, with its owners."""
    shutil.rmtree(target, ignore_errors=True)
    subprocess.run(["cp", "-a", str(source), str(target)], check=True)


def empty_broker(shop: OpenShop) -> None:
    """While it is down: Apache Kafka's data go; the embedded broker has none."""
    shutil.rmtree(shop.home.data("kafka") / "log", ignore_errors=True)


def broker_emptied(campaign: Campaign) -> None:
    """The broker is away for a while, commands go on, and it comes back knowing nothing."""
    with campaign.shop.down("kafka"):
        empty_broker(campaign.shop)
        time.sleep(campaign.moments.uniform(0.5, 2))


def read_store_killed(campaign: Campaign) -> None:
    """kill -9 of MongoDB; the directory as it is then may be put back later."""
    with campaign.shop.down("mongodb"):
        if campaign.older is None or campaign.moments.random() < 0.5:
            _keep(campaign)


def read_store_put_back(campaign: Campaign) -> None:
    """Documents and checkpoints go back together, under workers that have seen what came later."""
    _older_than_now(campaign)
    with campaign.shop.down("mongodb"):
        _put_back(campaign)


def read_store_put_back_at_rest(campaign: Campaign) -> None:
    """The same while no worker runs."""
    _older_than_now(campaign)
    with ExitStack() as down:
        for name in ("projector-1", "worker", "mongodb"):
            down.enter_context(campaign.shop.down(name, gently=name != "mongodb"))
        _put_back(campaign)


def _older_than_now(campaign: Campaign) -> None:
    if campaign.older is None:
        with campaign.shop.down("mongodb", gently=campaign.moments.random() < 0.5):
            _keep(campaign)
        campaign.more_recorded(YOUNGER_BY)


def _keep(campaign: Campaign) -> None:
    campaign.older = campaign.shop.home.root / "older-mongodb"
    copied(campaign.shop.read_store_directory(), campaign.older)


def _put_back(campaign: Campaign) -> None:
    """The copy is used once: the next one is younger, so that a long campaign does not replay all of itself."""
    assert campaign.older is not None
    copied(campaign.older, campaign.shop.read_store_directory())
    campaign.older = None
