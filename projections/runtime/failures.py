"""Whose fault it is: an engine's (wait and try again) or the event's (stop its aggregate)."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError
from psycopg_pool import PoolTimeout
from pymongo.errors import PyMongoError

from acme.bus import BusUnavailable
from acme.env import EngineNotConfigured

ENGINE_FAILURES = (OperationalError, InterfaceError, PoolTimeout, PyMongoError, BusUnavailable, EngineNotConfigured)


def is_engine_failure(error: BaseException) -> bool:
    """True when the store, the log, the key store or the bus cannot be reached or used just now."""
    return isinstance(error, ENGINE_FAILURES)
