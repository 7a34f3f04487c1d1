"""Events in the log of a benchmark: recorded as commands do, numbered and published by the product's publisher."""

from __future__ import annotations

import os
import random
import uuid
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta

from django.db import transaction

from acme.contracts.base import Event, Money
from acme.contracts.carts import CartCreated, CartLineAdded
from acme.contracts.envelope import encode
from acme.contracts.orders import OrderImported, OrderLine
from acme.contracts.topics import partition_of
from commands.outbox.log import insert_events
from commands.outbox.models import DomainEvent, StreamHead
from commands.outbox.publisher import Publisher

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
AT_ONCE = 5_000
#: Products that are sold; the days over which sales spread.
PRODUCTS, DAYS = 500, 60

Recorded = tuple[Event, int]  # and the aggregate's version after it


def carts(documents: int, each: int) -> Iterator[Recorded]:
    """``each`` events per cart: created, then a line more each time. With two, all carts are created before any gets
    its line, so that no batch has two events of one cart; with more, a cart's events follow each other closely."""
    ids = [uuid.uuid4() for _ in range(documents)]
    if each == 2:
        for version in (1, 2):
            for cart in ids:
                yield _cart_event(cart, version), version
        return
    for cart in ids:
        for version in range(1, each + 1):
            yield _cart_event(cart, version), version


def shopping(documents: int, open_at_once: int = 200) -> Iterator[Recorded]:
    """The events of `carts` with two of each, in the order of a shop: a cart gets its line while others are open."""
    for start in range(0, documents, open_at_once):
        yield from carts(min(open_at_once, documents - start), 2)


def _cart_event(cart: uuid.UUID, version: int) -> Event:
    if version == 1:
        return CartCreated(cart_id=cart, customer_id=uuid.uuid4(), guest_token_hash=None)
    return CartLineAdded(
        cart_id=cart,
        product_id=uuid.uuid4(),
        variant_id=uuid.uuid4(),
        sku=f"SKU-{version}",
        name="A product of a benchmark, of some size",
        quantity=version,
        unit_price=Money(1299, "GBP"),
    )


class Carts:
    """Carts that are remembered, for more and more events of them."""

    def __init__(self, seed: int) -> None:
        self._versions: dict[uuid.UUID, int] = {}
        self._ids: list[uuid.UUID] = []
        self._chance = random.Random(seed)

    def more(self, new: int) -> Iterator[Recorded]:
        """So many new ones, each with a line, and a further line in as many old ones by chance."""
        for _ in range(min(new, len(self._ids))):
            yield self._next(self._chance.choice(self._ids))
        yield from self.fresh(new)

    def fresh(self, new: int) -> Iterator[Recorded]:
        """So many new ones, then a line in each."""
        fresh = [uuid.uuid4() for _ in range(new)]
        for _ in range(2):
            yield from (self._next(cart) for cart in fresh)
        self._ids.extend(fresh)

    def second_line(self, count: int) -> Iterator[Recorded]:
        """In so many old ones by chance that have one line: of few carts or many, these are alike."""
        single = [cart for cart in self._ids if self._versions[cart] == 2]
        yield from map(self._next, self._chance.sample(single, min(count, len(single))))

    def _next(self, cart: uuid.UUID) -> Recorded:
        version = self._versions[cart] = self._versions.get(cart, 0) + 1
        return _cart_event(cart, version), version


def sales(orders: int, lines: int = 5) -> Iterator[Recorded]:
    """Imported orders over sixty days: one event each, which changes a dozen counters."""
    products = [(uuid.uuid4(), uuid.uuid4(), f"SKU-{number}") for number in range(PRODUCTS)]
    categories = [uuid.uuid4() for _ in range(20)]
    for number in range(orders):
        sold = [(number * 7 + place * 31) % PRODUCTS for place in range(lines)]
        amount = Money(1299, "GBP")
        event = OrderImported(
            order_id=uuid.uuid4(),
            number=f"B{number}",
            customer_id=None,
            country=("GB", "FR", "DE")[number % 3],
            placed_at=BEGIN + timedelta(days=number % DAYS, seconds=number),
            lines=[
                OrderLine(
                    line=place,
                    product_id=products[one][0],
                    variant_id=products[one][1],
                    sku=products[one][2],
                    name="A product of a benchmark",
                    category_id=categories[one % len(categories)],
                    quantity=1,
                    unit_price=amount,
                    amount=amount,
                )
                for place, one in enumerate(sold, start=1)
            ],
            total=Money(1299 * lines, "GBP"),
            source="bench",
        )
        yield event, 1


def recorded(events: Iterable[Recorded], say: Callable[[str], None]) -> int:
    """Appends them to the log as transactions of many; answers how many."""
    total, waiting = 0, []
    for event, version in events:
        waiting.append(_row(event, version))
        if len(waiting) == AT_ONCE:
            total += _inserted(waiting)
            say(f"{total:,} events recorded")
    return total + _inserted(waiting)


def published() -> None:
    """Numbers and publishes all that is in the log."""
    with Publisher(os.environ["KAFKA_BOOTSTRAP_SERVERS"]) as publisher:
        publisher.drain()


def ready(topic: str, some: Iterable[Recorded], say: Callable[[str], None]) -> dict[tuple[str, int], int]:
    """They are recorded and published; answers the heads of their topic."""
    recorded(some, say)
    published()
    return heads(topic)


def heads(topic: str) -> dict[tuple[str, int], int]:
    """(topic, partition) → last sequence, where there is any."""
    rows = StreamHead.objects.filter(topic=topic)
    return {(row.topic, row.partition): row.sequence for row in rows}


def last_aggregates(of: dict[tuple[str, int], int]) -> list[str]:
    """Ids of those that the last event of each partition is about."""
    rows = [DomainEvent.objects.get(topic=t, partition=p, sequence=last) for (t, p), last in of.items()]
    return [str(row.aggregate_id) for row in rows]


def _inserted(rows: list[DomainEvent]) -> int:
    with transaction.atomic():
        insert_events(rows)
    done = len(rows)
    rows.clear()
    return done


def _row(event: Event, version: int) -> DomainEvent:
    topic, now = event.topic(), datetime.now(UTC)
    data, _ = encode(event)
    return DomainEvent(
        event_id=uuid.uuid4(),
        topic=topic.name,
        partition=partition_of(topic, event.aggregate_id),
        aggregate_type=event.aggregate_type,
        aggregate_id=event.aggregate_id,
        aggregate_version=version,
        event_type=type(event).__name__,
        schema_version=event.schema_version,
        data=data,
        personal=None,
        metadata={"actor": "bench"},
        occurred_at=now,
        recorded_at=now,
    )
