"""Rebuilds under load whose process is killed, at any moment or at a step of the swap, and second ones that finish."""

from __future__ import annotations

import signal
import subprocess
import sys

from tests.faults.campaign.campaign import Campaign
from tests.faults.campaign.progress import previous, projections
from tests.stack import PROJECT

LIVES = (0.5, 8.0)  # seconds, for the first one, its start included
#: Writes of a swap before the one at which it is killed. Under load it makes some six or more, with rests and batches.
STEPS = range(8)
FINISHED = 300.0  # seconds for a run that nobody kills: the log is read three times, beside the load


def rebuild_killed(campaign: Campaign) -> None:
    """The first run dies at any moment, the second one goes on and swaps; the load never stops."""
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
    shop.manage(*command, seconds=FINISHED)
    mostly_dropped(campaign, command[2])


def swap_killed(campaign: Campaign) -> None:
    """Killed at one of the swap's writes, to the other generation or back to the one before; then the same once more,
    which finishes what it finds."""
    shop = campaign.shop
    name = campaign.moments.choice(projections(shop.urls))
    back = bool(campaign.moments.getrandbits(1)) and previous(shop.urls, name, followed=True)
    command = ("projector", "rebuild", name, "--yes", *(["--rollback"] if back else []))
    step = campaign.moments.choice(STEPS)
    killing = ("-m", "tests.faults.campaign.killed_at", str(step))
    killed = shop.manage(*command, check=False, seconds=FINISHED, program=killing)
    assert killed.returncode in (0, -signal.SIGKILL), f"{command}: {killed.returncode}\n{killed.stdout}{killed.stderr}"
    print(f"{' '.join(command)}: {f'killed at write {step}' if killed.returncode else 'over before'}")
    shop.manage(*command, seconds=FINISHED)
    mostly_dropped(campaign, name)


def mostly_dropped(campaign: Campaign, name: str) -> None:
    """The generation before, two times of three: else workers would follow one of each projection in the end."""
    if campaign.moments.random() < 2 / 3 and previous(campaign.shop.urls, name):
        campaign.shop.manage("projector", "rebuild", name, "--drop-old", "--yes")
