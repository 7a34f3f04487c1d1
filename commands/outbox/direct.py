"""Direct connections to PostgreSQL for publisher and relay: own sessions, outside of Django's pool.

Session locks, LISTEN and session settings need a session that nobody else uses and no pooler shares.
"""

from __future__ import annotations

from typing import Any

import msgspec
import psycopg
from django.db import connections
from psycopg.types.json import set_json_loads

Connection = psycopg.Connection[tuple[Any, ...]]

#: After this long without a word from its client the server ends a session that holds the lane, in seconds.
SILENCE_SECONDS = 10
# A dead peer is noticed by either side within about ten seconds, also while data is under way.
CLIENT_SIDE = {"connect_timeout": 5, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3}
SERVER_SIDE = {
    "TimeZone": "UTC",
    "synchronous_commit": "on",
    "tcp_keepalives_idle": 5,
    "tcp_keepalives_interval": 2,
    "tcp_keepalives_count": 3,
    "tcp_user_timeout": SILENCE_SECONDS * 1000,
    "idle_in_transaction_session_timeout": SILENCE_SECONDS * 1000,
}


def connect(application_name: str) -> Connection:
    """A session in autocommit on Django's default database. Raises `psycopg.OperationalError`."""
    settings = connections["default"].settings_dict
    options = {key: value for key, value in settings["OPTIONS"].items() if key != "pool"}
    connection = psycopg.connect(
        **{
            **CLIENT_SIDE,
            **options,
            "dbname": settings["NAME"],
            "user": settings["USER"] or None,
            "password": settings["PASSWORD"] or None,
            "host": settings["HOST"] or None,
            "port": settings["PORT"] or None,
            "application_name": application_name,
            "options": " ".join(f"-c {name}={value}" for name, value in SERVER_SIDE.items()),
        },
        autocommit=True,
    )
    set_json_loads(msgspec.json.decode, connection)
    return connection
