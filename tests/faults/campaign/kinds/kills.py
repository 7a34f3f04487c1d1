"""kill -9: of one process, of everything at once; and engines that hang or are started again."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests.faults.campaign.campaign import Campaign

ENGINES = ("postgres", "kafka", "mongodb", "redis")


def kill(name: str) -> Callable[[Campaign], None]:
    """SIGKILL while events are under way; the supervisor starts it again."""

    def strike(campaign: Campaign) -> None:
        time.sleep(campaign.moments.uniform(0, 0.3))
        campaign.shop.kill9(name)

    return strike


def kill_of_celery(campaign: Campaign) -> None:
    """SIGKILL to one of those that no event passes through; nothing may depend on them."""
    campaign.shop.kill9(campaign.moments.choice(("redis", "worker", "beat")))


def power_cut(campaign: Campaign) -> None:
    """Every process and every engine at once."""
    shop = campaign.shop
    with shop.supervisor.lock:
        for name in campaign.moments.sample(sorted(shop.supervisor.all), len(shop.supervisor.all)):
            shop.kill9(name)


def engine_hangs(campaign: Campaign) -> None:
    """An engine that is there and does not answer, for a while."""
    with campaign.shop.suspended(campaign.moments.choice(ENGINES)):
        time.sleep(campaign.moments.uniform(0.5, 4))


def postgres_restarted(campaign: Campaign) -> None:
    """An orderly restart, as for an update: all sessions are ended."""
    with campaign.shop.down("postgres", gently=True):
        time.sleep(campaign.moments.uniform(0, 1))


def publisher_suspended(campaign: Campaign) -> None:
    """A publisher stands still, at times longer than its session may be silent (10 s), and goes on."""
    name = campaign.moments.choice(("relay", "web"))
    with campaign.shop.suspended(name):
        time.sleep(11 if campaign.moments.random() < 0.2 else campaign.moments.uniform(0.5, 3))
