"""A made-up shop history for projection tests: every event type, from a seed, in any interleaving.

Interleavings keep each aggregate's order, which is all that the stream promises. Nothing here touches an engine.
"""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from acme.contracts import carts, catalog, customers, inventory, orders
from acme.contracts.base import Event, Money
from acme.contracts.envelope import Envelope, Sealed, encode
from acme.contracts.topics import partition_of

START = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)


def plain_unseal(sealed: Sealed, event_id: UUID) -> dict[str, str]:
    """Stands in for the key store: "sealed" data of this history is its subject's name."""
    return {"email": f"{sealed.subject}@example.test", "name": sealed.subject}


def gbp(amount: int) -> Money:
    return Money(amount, "GBP")


class History:
    """Aggregates with their events in order; `interleaved` puts them into one stream."""

    def __init__(self, seed: int, *, size: int = 4) -> None:
        self.random = random.Random(seed)
        self.aggregates: list[list[Event]] = []
        self.category_ids = [self.uuid() for _ in range(size)]
        self.customer_ids = [self.uuid() for _ in range(size)]
        self.variants: list[tuple[UUID, UUID, str]] = []  # product, variant, SKU
        self._categories()
        for number in range(size):
            self._product(number)
        for _, customer_id in enumerate(self.customer_ids):
            self._customer(customer_id)
        for number in range(size):
            self._cart(number)
        for number in range(size * 3):
            self._order(number)
        for number in range(size):
            self._imports(number)

    def uuid(self) -> UUID:
        return UUID(int=self.random.getrandbits(128))

    def interleaved(self, seed: int) -> list[Envelope]:
        """All events in one random order that keeps each aggregate's, numbered per partition as the log would."""
        order = random.Random(seed)
        waiting = [list(enumerate(events, start=1)) for events in self.aggregates]
        sequences: Counter[tuple[str, int]] = Counter()
        stream = []
        while waiting:
            events = order.choice(waiting)
            version, event = events.pop(0)
            if not events:
                waiting.remove(events)
            stream.append(self._envelope(event, version, sequences))
        return stream

    def _envelope(self, event: Event, version: int, sequences: Counter[tuple[str, int]]) -> Envelope:
        topic = event.topic()
        partition = partition_of(topic, event.aggregate_id)
        sequences[topic.name, partition] += 1
        data, personal = encode(event)
        subject = event.data_subject()
        # The same event must look the same in every interleaving: its times come from its identity.
        moment = START + timedelta(minutes=event.aggregate_id.int % 50_000 + version)
        return Envelope(
            event_id=UUID(int=(event.aggregate_id.int + version) % 2**128),
            topic=topic.name,
            partition=partition,
            sequence=sequences[topic.name, partition],
            aggregate_type=event.aggregate_type,
            aggregate_id=event.aggregate_id,
            aggregate_version=version,
            event_type=type(event).__name__,
            schema_version=event.schema_version,
            data=data,
            personal=Sealed(subject, "") if subject and personal else None,
            occurred_at=moment,
            recorded_at=moment,
            log_epoch=1,
        )

    def _categories(self) -> None:
        for number, key in enumerate(self.category_ids):
            parent = self.category_ids[0] if number else None
            self.aggregates.append(
                [
                    catalog.CategoryCreated(category_id=key, name=f"C{number}", slug=f"c{number}", parent_id=None),
                    catalog.CategoryRenamed(
                        category_id=key,
                        name=f"D{number}",
                        slug=f"d{number}",
                        old_name=f"C{number}",
                        old_slug=f"c{number}",
                    ),
                    catalog.CategoryMoved(category_id=key, parent_id=parent, old_parent_id=None),
                ]
            )

    def _product(self, number: int) -> None:
        product, category = self.uuid(), self.random.choice(self.category_ids)
        name = f"$name {number}"  # a dollar on purpose: update pipelines must not take it for a field
        events: list[Event] = [
            catalog.ProductCreated(
                product_id=product, name=name, slug=f"p-{number}", description="Déjà vu", brand=None, category_id=None
            ),
            catalog.ProductCategorised(product_id=product, category_id=category, old_category_id=None),
        ]
        for index in range(3):
            variant, sku, price = self.uuid(), f"SKU.{number}-{index}", self.random.randint(100, 9_999)
            about = {"product_id": product, "variant_id": variant, "sku": sku}
            events.append(catalog.VariantAdded(**about, name=f"V{index}"))
            events.append(catalog.PriceSet(**about, price=gbp(price), old_price=None))
            if index == 2:
                events.append(catalog.VariantRemoved(**about))
            else:
                self.variants.append((product, variant, sku))
            self._stock(product, variant, sku)
        events += [
            catalog.ProductPublished(product_id=product),
            catalog.ProductDetailsChanged(
                product_id=product, name=name + "!", slug=f"p-{number}", description="", brand="Acme"
            ),
            catalog.ProductUnpublished(product_id=product),
            catalog.ProductArchived(product_id=product)
            if number % 3 == 2
            else catalog.ProductPublished(product_id=product),
        ]
        self.aggregates.append(events)

    def _stock(self, product: UUID, variant: UUID, sku: str) -> None:
        item, order = self.uuid(), self.uuid()
        levels = [(0, 0), (10, 0), (9, 0), (9, 4), (9, 2), (7, 0)]
        events: list[Event] = []
        for ((old_on_hand, old_reserved), (on_hand, reserved)), (cls, extra) in zip(
            pairwise(levels),
            [
                (inventory.StockReceived, {"quantity": 10, "reference": "r"}),
                (inventory.StockAdjusted, {"quantity_change": -1, "reason": "lost"}),
                (inventory.StockReserved, {"quantity": 4, "order_id": order}),
                (inventory.ReservationReleased, {"quantity": 2, "order_id": order}),
                (inventory.StockShipped, {"quantity": 2, "order_id": order}),
            ],
            strict=True,
        ):
            events.append(
                cls(
                    stock_item_id=item,
                    product_id=product,
                    variant_id=variant,
                    sku=sku,
                    on_hand=on_hand,
                    reserved=reserved,
                    old_on_hand=old_on_hand,
                    old_reserved=old_reserved,
                    **extra,
                )
            )
        self.aggregates.append(events[: self.random.randint(1, len(events))])

    def _customer(self, customer: UUID) -> None:
        personal = customers.CustomerPersonal(email="a@b.test", name="A")
        self.aggregates.append(
            [
                customers.CustomerRegistered(
                    customer_id=customer, number=None, country="GB", has_login=True, personal=personal
                ),
                customers.ProfileChanged(customer_id=customer, country="IE", old_country="GB", personal=personal),
                customers.StaffFlagSet(customer_id=customer, is_staff=True),
            ]
        )

    def _cart(self, number: int) -> None:
        cart = self.uuid()
        (product, variant, sku), (_, other, other_sku) = self.random.sample(self.variants, 2)
        line = {"cart_id": cart, "product_id": product, "name": "n", "unit_price": gbp(100)}
        self.aggregates.append(
            [
                carts.CartCreated(
                    cart_id=cart,
                    customer_id=self.customer_ids[0] if number % 2 else None,
                    guest_token_hash=None if number % 2 else f"{number:064}",
                ),
                carts.CartLineAdded(**line, variant_id=variant, sku=sku, quantity=1),
                carts.CartLineAdded(**line, variant_id=other, sku=other_sku, quantity=1),
                carts.CartLineAdded(**line, variant_id=variant, sku=sku, quantity=2),
                carts.CartLineChanged(cart_id=cart, variant_id=variant, sku=sku, quantity=5, old_quantity=2),
                carts.CartLineRemoved(cart_id=cart, variant_id=other, sku=other_sku, old_quantity=1),
                carts.CartCheckedOut(cart_id=cart, order_id=self.uuid()),
            ]
        )

    def _lines(self) -> list[orders.OrderLine]:
        chosen = self.random.choices(self.variants, k=self.random.randint(1, 4))
        lines = []
        for number, (product, variant, sku) in enumerate(chosen, start=1):
            quantity, price = self.random.randint(1, 5), self.random.randint(100, 5_000)
            lines.append(
                orders.OrderLine(
                    line=number,
                    product_id=product,
                    variant_id=variant,
                    sku=sku,
                    name="n",
                    category_id=self.random.choice([None, *self.category_ids]),
                    quantity=quantity,
                    unit_price=gbp(price),
                    amount=gbp(quantity * price),
                )
            )
        return lines

    def _sale(self) -> dict[str, object]:
        lines = self._lines()
        placed = START + timedelta(days=self.random.randint(0, 3), hours=self.random.randint(0, 12))
        return {
            "order_id": self.uuid(),
            "number": str(self.random.randint(1, 10**9)),
            "customer_id": self.random.choice([None, *self.customer_ids]),
            "country": self.random.choice([None, "GB", "FR"]),
            "placed_at": placed,
            "lines": lines,
            "total": gbp(sum(line.amount.amount_minor for line in lines)),
        }

    def _order(self, number: int) -> None:
        sale = self._sale()
        order, total = sale["order_id"], sale["total"]
        personal = orders.OrderPersonal(email="g@h.test", name="G")
        events: list[Event] = [orders.OrderPlaced(**sale, cart_id=None, guest_token_hash=None, personal=personal)]
        if number % 4 == 0:
            events.append(orders.OrderCancelled(**sale, reason="no", was_confirmed=False))
        else:
            paid = {"order_id": order, "amount": total, "paid": total, "old_paid": gbp(0)}
            events.append(orders.OrderPaymentRecorded(**paid, provider="manual", reference=""))
            events.append(orders.OrderConfirmed(**sale))
            if number % 4 == 1:
                events.append(orders.OrderCancelled(**sale, reason="regret", was_confirmed=True))
            else:
                shipped = [orders.ShippedLine(line=x.line, sku=x.sku, quantity=x.quantity) for x in sale["lines"]]
                ship = {"order_id": order, "tracking": "T"}
                events.append(orders.FulfilmentShipped(**ship, fulfilment_id=self.uuid(), lines=shipped))
                events.append(orders.OrderCompleted(order_id=order))
        self.aggregates.append(events)

    def _imports(self, number: int) -> None:
        self.aggregates.append([orders.OrderImported(**self._sale(), source="retail")])
        lines = self._lines()
        self.aggregates.append(
            [
                orders.PastReturnImported(
                    return_id=self.uuid(),
                    number=f"C{number}",
                    source="retail",
                    customer_id=self.random.choice([None, *self.customer_ids]),
                    country="GB",
                    returned_at=START + timedelta(days=1),
                    lines=lines,
                    total=gbp(sum(line.amount.amount_minor for line in lines)),
                )
            ]
        )
