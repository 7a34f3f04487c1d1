"""How far a shop is, seen from outside: events recorded, and events that every projection has applied."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from pymongo import MongoClient
from pymongo.errors import PyMongoError

RECORDED = """
SELECT topic, sum(events)::bigint FROM (
    SELECT topic, sequence AS events FROM stream_head
    UNION ALL SELECT topic, count(*) FROM domain_event WHERE sequence IS NULL GROUP BY topic
) AS parts GROUP BY topic
"""
QUICK = {"serverSelectionTimeoutMS": 2000, "connectTimeoutMS": 2000, "socketTimeoutMS": 5000}


@dataclass(frozen=True)
class Progress:
    """``waiting``: events that the slowest projection has still to apply."""

    recorded: int
    waiting: int
    slowest: str = ""


def progress(urls: dict[str, str]) -> Progress | None:
    """None while PostgreSQL or MongoDB cannot be asked, or no projection was ever run."""
    try:
        with psycopg.connect(urls["DATABASE_URL"], connect_timeout=2) as link:
            recorded = dict(link.execute(RECORDED).fetchall())
        with MongoClient(urls["MONGODB_URL"], **QUICK) as client:
            behind = _behind(client.get_default_database(), recorded)
    except (psycopg.Error, PyMongoError):
        return None
    if not behind:
        return None
    slowest = max(behind, key=lambda name: behind[name])
    return Progress(recorded=sum(recorded.values()), waiting=behind[slowest], slowest=slowest)


def projections(urls: dict[str, str]) -> list[str]:
    """Names of those that were ever run."""
    with MongoClient(urls["MONGODB_URL"]) as client:
        return sorted(client.get_default_database()["projection_pointers"].distinct("_id"))


def previous(urls: dict[str, str], name: str, *, followed: bool = False) -> bool:
    """Whether the generation before is kept. ``followed``: and up to date, so that one can go back to it; one of an
    older epoch of the log is not."""
    with MongoClient(urls["MONGODB_URL"]) as client:
        pointer = client.get_default_database()["projection_pointers"].find_one({"_id": name}) or {}
    return pointer.get("previous") is not None and (not followed or pointer.get("following") == pointer["previous"])


def _behind(store: Any, recorded: dict[str, int]) -> dict[str, int]:
    """Projection → events that its live generation has not applied."""
    pointers = list(store["projection_pointers"].find())
    behind = {p["_id"]: sum(recorded.get(topic, 0) for topic in p["topics"]) for p in pointers}
    live = {p["_id"]: p["live"] for p in pointers}
    for row in store["projection_checkpoints"].find({}, {"projection": 1, "generation": 1, "sequence": 1}):
        if row["generation"] == live.get(row["projection"]):
            behind[row["projection"]] -= row["sequence"]
    return behind
