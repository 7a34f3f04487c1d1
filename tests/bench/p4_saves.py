"""P4: the worker against what people write first: one mongoengine `save()` per event."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mongoengine.context_managers import switch_collection

from acme.bus import Record
from acme.contracts.carts import CartCreated
from queries.documents.carts import CartDocument, CartLinePart, CartSection
from tests.bench import events
from tests.bench.loops import decoded, line_of
from tests.bench.measure import Measured, compared
from tests.bench.options import Options
from tests.bench.projecting import BATCH, CATCHING_UP, bare_run, worker_run

DOCUMENTS = 10_000


def saves(collection: Any, records: Iterable[Record]) -> None:
    """Read the document, change it, save it; guarded by nothing."""
    with switch_collection(CartDocument, collection.name) as document:
        for record in records:
            _save(document, *decoded(record))


def _save(document: type[CartDocument], event: Any, version: int, at: Any) -> None:
    key = str(event.cart_id)
    if isinstance(event, CartCreated):
        customer = str(event.customer_id) if event.customer_id else None
        section = CartSection(version=version, customer_id=customer, status="open", created_at=at, updated_at=at)
        document(id=key, cart=section).save()
        return
    found = document.objects.get(id=key)
    found.cart.lines.append(CartLinePart(**line_of(event)))
    found.cart.version, found.cart.updated_at = version, at
    found.save()


def measure(options: Options) -> Measured:
    heads = events.ready("acme.carts", events.carts(options.size(DOCUMENTS), 2), options.say)
    return compared(
        options,
        {
            "worker": lambda: worker_run("carts", heads),
            "save() per event": lambda: bare_run("carts", heads, saves, at_most=BATCH),
        },
        name="P4",
        what="the same events as P1",
        against="one mongoengine save() per event",
        goal=10,
        notes="save() gets the first events only, up to 5,000 of them, because it is slow; it is guarded by "
        f"nothing.{CATCHING_UP}",
    )
