"""Locks on what has no row: a slug before it is given out, the shape of the category tree."""

from __future__ import annotations

import zlib

from django.db import connection

NAMESPACE = 7301  # first key of this slice's advisory locks
# PostgreSQL's lock table is small and shared: however many names one transaction holds, it uses this many entries.
BUCKETS = 512


def hold(name: str) -> None:
    """Waits until nobody else holds the name (or one that shares its bucket); held until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [NAMESPACE, zlib.crc32(name.encode()) % BUCKETS])
