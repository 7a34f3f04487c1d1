"""A rebuild under load whose process is killed, and a second one that finishes."""

from __future__ import annotations

import subprocess
import sys

from tests.faults.campaign.campaign import Campaign
from tests.faults.campaign.progress import projections
from tests.stack import PROJECT

LIVES = (0.5, 8.0)  # seconds, for the first one, its start included


def rebuild_killed(campaign: Campaign) -> None:
    """The first run dies at any moment, the second one goes on and swaps; the load never stops.

    The generation before is dropped two times of three: else workers would follow one of each projection in the end.
    """
    shop = campaign.shop
    command = ("projector", "rebuild", campaign.moments.choice(projections(shop.urls)), "--yes")
    first = subprocess.Popen(
        [sys.executable, "manage.py", *command],
        cwd=PROJECT,
        env=shop.environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        first.wait(campaign.moments.uniform(*LIVES))
    except subprocess.TimeoutExpired:
        first.kill()
        first.wait()
    shop.manage(*command)
    if campaign.moments.random() < 2 / 3:
        shop.manage(*command, "--drop-old")
