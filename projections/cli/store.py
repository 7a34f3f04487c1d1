"""The read store for a subcommand: asked first whether it is there, so that nobody waits long for an error."""

from __future__ import annotations

import pymongo

from projections.runtime.letterbox import Store
from queries.documents.connection import database

#: What a subcommand does may take longer, and a deadline for all of it would also be one for finding the server.
SECONDS = 3.0


def open_store() -> Store:
    """Raises pymongo's errors after `SECONDS` at the latest, and `EngineNotConfigured`."""
    store = database()
    with pymongo.timeout(SECONDS):
        store.command("ping")
    return store
