"""Processes whose clock is wrong, by minutes or hours, and jumps when they are started again."""

from __future__ import annotations

from collections.abc import Callable

from tests.faults.campaign.campaign import Campaign
from tests.faults.campaign.clock import in_our_time, later

#: Seconds. Less than a day: that long an idempotency key is kept, by the clock of whoever looks.
OFFSETS = (-6 * 3600, -3600, -600, -90, 90, 600, 3600, 6 * 3600)


def wrong_clock(name: str) -> Callable[[Campaign], None]:
    """The process is killed and comes back in another time; it stays there until it is struck again."""

    def strike(campaign: Campaign) -> None:
        later(campaign.shop, name, campaign.moments.choice(OFFSETS))

    return strike


def clocks_set_right(campaign: Campaign) -> None:
    """Every process with a wrong clock is killed and comes back in our time."""
    for name in ("web", "relay", "projector-1"):
        in_our_time(campaign.shop, name)
