"""Problems that only queries have."""

from __future__ import annotations

from acme.http.problems import HttpError
from queries.freshness import Freshness, Stopped

BEHIND_RETRY_SECONDS = 1
STOPPED_RETRY_SECONDS = 60


def parameter_invalid(name: str, detail: str, *, code: str = "invalid") -> HttpError:
    """A 400 that names a query parameter whose value only the data shows to be wrong."""
    errors = [{"parameter": name, "detail": detail, "code": code}]
    return HttpError(400, "invalid-parameter", f"{name}: {detail}", errors=errors)


def read_model_behind(freshness: Freshness) -> HttpError:
    """The consistency token was not reached in time."""
    events = freshness.events_behind
    count = "an unknown number of" if events is None else str(events)
    names = ", ".join(freshness.read_models)
    return HttpError(
        503,
        "read-model-behind",
        f"What was written has not arrived yet: {names} {count} event{'' if events == 1 else 's'} behind.",
        headers={"Retry-After": str(BEHIND_RETRY_SECONDS)},
        members={"read_models": list(freshness.read_models), "events_behind": events},
    )


def read_model_stopped(stopped: Stopped, *, show_error: bool) -> HttpError:
    """An aggregate of the token cannot be projected; the error itself is for the staff."""
    event = f" ({stopped.event_type})" if stopped.event_type else ""
    error = f": {stopped.error}" if show_error and stopped.error else ""
    return HttpError(
        503,
        "read-model-stopped",
        f"{stopped.read_model} cannot apply version {stopped.version}{event} of {stopped.aggregate}{error}",
        headers={"Retry-After": str(STOPPED_RETRY_SECONDS)},
        members={"read_models": [stopped.read_model], "aggregate": stopped.aggregate},
    )
