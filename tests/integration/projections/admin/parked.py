"""Dead letters, heartbeats and heads as workers leave them in the store, written by hand."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from pymongo.database import Database

from acme.contracts.envelope import Envelope, Sealed, to_record
from acme.contracts.topics import BY_AGGREGATE, partition_of
from projections.registry import PROJECTIONS
from projections.runtime.generations import open_live

Store = Database[dict[str, Any]]
TRACEBACK = 'Traceback (most recent call last):\n  File "products.py", line 1, in reprice\nValueError: no price'


def letter(
    number: int,
    *,
    aggregate: UUID | None = None,
    projection: str = "products",
    fingerprint: str = "a1b2c3d4e5f6",
    error: str = "ValueError: no price",
    held_by: int | None = None,
    personal: bool = False,
    **changed: Any,
) -> dict[str, Any]:
    """A parked letter of topic acme.catalog with sequence ``number``; ``changed`` fields last."""
    subject, now = aggregate or uuid4(), datetime.now(UTC)
    envelope = Envelope(
        event_id=uuid4(),
        topic="acme.catalog",
        partition=partition_of_catalog(subject),
        sequence=number,
        aggregate_type="product",
        aggregate_id=subject,
        aggregate_version=number,
        event_type="VariantPriceSet",
        schema_version=1,
        data={"sku": f"SKU-{number}", "note": "<b>bold</b>"},
        personal=Sealed(subject="customer:1", sealed="c2VhbGVk") if personal else None,
        occurred_at=now - timedelta(minutes=5),
        recorded_at=now - timedelta(minutes=5),
        log_epoch=1,
    )
    key, value, headers = to_record(envelope)
    return {
        "_id": f"{projection}|1|acme.catalog|{envelope.partition}|{number}",
        "projection": projection,
        "generation": 1,
        "topic": "acme.catalog",
        "partition": envelope.partition,
        "sequence": number,
        "offset": number,
        "aggregate": envelope.aggregate,
        "aggregate_version": number,
        "event_type": envelope.event_type,
        "event_id": str(envelope.event_id),
        "schema_version": 1,
        "occurred_at": envelope.occurred_at,
        "recorded_at": envelope.recorded_at,
        "record": {"key": key, "value": value, "headers": [[name, raw] for name, raw in headers]},
        "error": error,
        "error_class": "builtins.ValueError",
        "traceback": TRACEBACK,
        "fingerprint": fingerprint,
        "held": held_by is not None,
        "held_by": held_by,
        "attempts": 0 if held_by is not None else 3,
        "first_at": now - timedelta(minutes=3),
        "last_at": now - timedelta(minutes=1),
        "state": "parked",
        **changed,
    }


def partition_of_catalog(aggregate: UUID) -> int:
    return partition_of(BY_AGGREGATE["product"], aggregate)


def park(store: Store, *letters: dict[str, Any]) -> None:
    """Opens the projections concerned and puts the letters in."""
    for name in {each["projection"] for each in letters}:
        open_live(store, PROJECTIONS[name])
    mark(store, *letters)
    store["projection_dead_letters"].insert_many(letters)


def mark(store: Store, *letters: dict[str, Any]) -> None:
    """The markers of parked letters' aggregates, as a worker writes them before."""
    same = ("projection", "generation", "topic", "partition", "aggregate", "event_type", "error", "fingerprint")
    mine: dict[str, list[dict[str, Any]]] = {}
    for each in letters:
        if each["state"] == "parked" and each["aggregate"] is not None:
            mine.setdefault(f"{each['projection']}|{each['generation']}|{each['aggregate']}", []).append(each)
    for key, parked in mine.items():
        values = {name: parked[0][name] for name in (*same, "first_at", "last_at", "attempts")}
        first = min(parked, key=lambda each: each["sequence"])
        change = {
            "$setOnInsert": values,
            "$min": {"first_sequence": first["sequence"], "first_version": first["aggregate_version"]},
            "$max": {"passed_to": max(each["sequence"] for each in parked)},
        }
        store["projection_stopped"].update_one({"_id": key}, change, upsert=True)


def running(store: Store, name: str = "products", *, pid: int = 41, ended: bool = False, **changed: Any) -> None:
    """A worker's heartbeat and fresh heads with everything applied; ``ended``: its lease is over."""
    open_live(store, PROJECTIONS[name])
    now = datetime.now(UTC)
    partitions = [(topic, number) for topic in PROJECTIONS[name].topics for number in range(8)]
    for topic, number in partitions:
        head = {"topic": topic, "partition": number, "sequence": 7, "published": 7, "log_epoch": 1}
        seen = {"seen_at": now, "complete_to": now}
        store["stream_heads"].replace_one({"_id": f"{topic}|{number}"}, {**head, **seen}, upsert=True)
        checkpoint = {"projection": name, "generation": 1, "topic": topic, "partition": number, "sequence": 7}
        store["projection_checkpoints"].replace_one(
            {"_id": f"{name}|1|{topic}|{number}"}, {**checkpoint, "recorded_at": now}, upsert=True
        )
    store["projection_workers"].insert_one(
        {
            "_id": f"{name}|shop-1|{pid}|1",
            "projection": name,
            "generation": 1,
            "host": "shop-1",
            "pid": pid,
            "state": "running",
            "detail": "",
            "partitions": [{"topic": topic, "partition": number, "sequence": 7} for topic, number in partitions],
            "events_per_second": 120,
            "started_at": now,
            "complete_to": now,
            "seen_at": now - timedelta(seconds=40 if ended else 0),
            "lease_until": now + timedelta(seconds=-30 if ended else 30),
            **changed,
        }
    )


def carried_out(store: Store, request: str, *, failing: Collection[str] = ()) -> None:
    """What the workers do with a retry or a discard: letters go, or stay with their outcome, and the request ends."""
    letters, asked = store["projection_dead_letters"], store["projection_requests"].find_one({"_id": request})
    assert asked is not None
    for row in list(letters.find({"request": request})):
        if row["_id"] in failing:
            outcome = {"request": request, "result": "failed", "error": "ValueError: still no price"}
            letters.update_one({"_id": row["_id"]}, {"$unset": {"request": ""}, "$set": {"outcome": outcome}})
        elif asked["action"] == "discard":
            note = {"state": "discarded", "discarded_by": asked["by"], "discarded_reason": asked["reason"]}
            note["discarded_at"] = datetime.now(UTC)
            letters.update_one({"_id": row["_id"]}, {"$unset": {"request": ""}, "$set": note})
        else:
            letters.delete_one({"_id": row["_id"]})
    counts = {"waiting": 0, "done": asked["total"] - len(failing), "failed": len(failing), "held": 0}
    store["projection_requests"].update_one(
        {"_id": request}, {"$set": {"state": "failed" if failing else "done", "counts": counts}}
    )
