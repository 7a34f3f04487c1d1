"""Correlation of what one request causes: request id and W3C traceparent, kept in every event's metadata."""

from __future__ import annotations

import re
from contextvars import ContextVar

_TRACEPARENT = re.compile(r"00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_trace: ContextVar[dict[str, str] | None] = ContextVar("trace", default=None)


def set_trace(correlation_id: str | None, traceparent: str | None = None) -> None:
    """Sets what `current_trace` answers in this context; a malformed traceparent is ignored, as W3C asks."""
    trace = {"correlation_id": correlation_id} if correlation_id else {}
    if traceparent and _TRACEPARENT.fullmatch(traceparent):
        trace["traceparent"] = traceparent
    _trace.set(trace)


def current_trace() -> dict[str, str]:
    """``correlation_id`` and ``traceparent`` of the request at hand, as far as known."""
    return dict(_trace.get() or {})
