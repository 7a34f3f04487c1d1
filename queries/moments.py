"""Days of the shop as moments, and moments as answers show them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

from acme.env import env


@cache
def shop_zone() -> ZoneInfo:
    """The time zone in which the shop's days begin (ACME_TIME_ZONE)."""
    return ZoneInfo(env.time_zone)


def day_begins(day: date) -> datetime:
    """The first moment of a day of the shop, in UTC."""
    return datetime.combine(day, time.min, shop_zone()).astimezone(UTC)


def day_ends(day: date) -> datetime:
    """The first moment that no longer belongs to the day, in UTC."""
    return day_begins(day + timedelta(days=1))


def rfc3339(moment: datetime) -> str:
    """UTC with Z: ``2010-12-01T08:26:00Z``."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
