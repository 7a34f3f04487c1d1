"""What bare loops write: the least code that gives the same documents, with no checkpoint and no fence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import msgspec
from pymongo import InsertOne, UpdateOne

from acme.bus import Record
from acme.contracts.base import Event
from acme.contracts.carts import CartCreated, CartLineAdded
from acme.contracts.orders import OrderImported
from projections.projectors.sales_by_day import SalesByDay

_DECODERS = {cls.__name__: msgspec.json.Decoder(cls) for cls in (CartCreated, CartLineAdded, OrderImported)}


def decoded(record: Record) -> tuple[Event, int, datetime]:
    """The typed event, its aggregate's version and when it happened."""
    headers = dict(record.headers)
    event: Event = _DECODERS[headers["ce_type"].decode().removeprefix("acme.")].decode(record.value or b"")
    at = datetime.fromisoformat(headers["ce_time"].decode()).astimezone(UTC)
    return event, int(headers["ce_aggregateversion"]), at


def cart_updates(collection: Any, records: Iterable[Record], *, ordered: bool, inserts: bool = False) -> None:
    """One guarded update per event, in one bulk write per batch. ``ordered`` where a cart may come twice in a batch;
    ``inserts``: what is created is inserted, as the worker does, instead of an upsert."""
    collection.bulk_write([cart_write(*decoded(record), inserts) for record in records], ordered=ordered)


def cart_write(event: Event, version: int, at: datetime, inserts: bool) -> UpdateOne | InsertOne[Any]:
    """Guarded by the version before it, as the runtime's own are."""
    if isinstance(event, CartCreated):
        cart = {
            "customer_id": str(event.customer_id) if event.customer_id else None,
            "guest_token_hash": event.guest_token_hash,
            "status": "open",
            "order_id": None,
            "lines": [],
            "created_at": at,
            "updated_at": at,
            "version": version,
        }
        if inserts:
            return InsertOne({"_id": str(event.cart_id), "cart": cart})
        key = {"_id": str(event.cart_id), "cart.version": {"$exists": False}}
        return UpdateOne(key, {"$set": {"cart": cart}}, upsert=True)
    if not isinstance(event, CartLineAdded):
        raise TypeError(f"the benchmark has no {type(event).__name__}")
    return UpdateOne(
        {"_id": str(event.cart_id), "cart.version": version - 1},
        {"$set": {"cart.version": version, "cart.updated_at": at}, "$push": {"cart.lines": line_of(event)}},
    )


def line_of(event: CartLineAdded) -> dict[str, Any]:
    """A line as the read model has it."""
    return {
        "product_id": str(event.product_id),
        "variant_id": str(event.variant_id),
        "sku": event.sku,
        "name": event.name,
        "quantity": event.quantity,
        "unit_price": {"amount_minor": event.unit_price.amount_minor, "currency": event.unit_price.currency},
    }


def increments() -> Callable[[Any, Iterable[Record]], None]:
    """An increment for everything that a sale counts, in one bulk write per batch; twice when it comes twice."""
    count = SalesByDay().sale

    def write(collection: Any, records: Iterable[Record]) -> None:
        updates = []
        for record in records:
            event, _, at = decoded(record)
            for one in count(event, at):
                changes = {"$inc": dict(one.add), "$setOnInsert": dict(one.static)}
                updates.append(UpdateOne({"_id": one.document}, changes, upsert=True))
        collection.bulk_write(updates, ordered=False)

    return write
