"""Filters of the admin pages: moments and stretches of time, as people read them."""

from __future__ import annotations

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.timesince import timesince

register = template.Library()


@register.filter
def moment(value: str | datetime | None) -> str:
    """A datetime or its RFC 3339 text in the shop's time zone, to the second."""
    found = _parsed(value)
    if found is None:
        return ""
    local = timezone.localtime(found)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), local.strftime("%Y-%m-%d %H:%M:%S"))


@register.filter
def ago(value: str | datetime | None) -> str:
    """ "3 minutes ago", "just now"."""
    found = _parsed(value)
    if found is None:
        return ""
    seconds = (timezone.now() - found).total_seconds()
    if seconds < 60:
        return "just now" if seconds < 2 else f"{seconds:.0f} seconds ago"
    return f"{timesince(found, depth=1)} ago"


@register.filter
def duration(seconds: float | None) -> str:
    """ "0.4 s", "2 min 5 s", "3 h 12 min"."""
    if seconds is None:
        return "unknown"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"


@register.filter
def tail(aggregate: str) -> str:
    """ "product:…3fc0d1": ids made together begin alike."""
    kind, _, key = aggregate.partition(":")
    return f"{kind}:…{key[-6:]}" if len(key) > 12 else aggregate


def _parsed(value: str | datetime | None) -> datetime | None:
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return None
    return value
