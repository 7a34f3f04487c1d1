"""The life of the demo's orders as a list of steps in time: placed, paid, shipped, cancelled, or left half-way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from uuid import UUID

from acme.contracts.base import Money
from acme.env import env
from acme.identity import Actor, system
from commands.carts.add_line import AddLine, add_line
from commands.carts.create_cart import CreateCart, create_cart
from commands.demo.factories import CustomerFactory
from commands.orders.cancel_order import CancelOrder, cancel_order
from commands.orders.items import Item
from commands.orders.pay_order import PayOrder, pay_order
from commands.orders.place_order import PlaceOrder, place_order
from commands.orders.ship_order import ShipOrder, ship_order

STAFF = system("seed_demo")
WEEKS = 8
#: What becomes of an order, as often as it is listed here.
FATES = (
    ("completed",) * 11
    + ("shipped in part", "paid in part", "unpaid", "paid")
    + ("cancelled", "cancelled after payment")
)
REASONS = ("ordered by mistake", "found it cheaper", "delivery takes too long")


@dataclass(order=True)
class Step:
    """Something that happens at a moment; ``number`` keeps those of one moment in order."""

    at: datetime
    number: int
    do: Callable[[datetime], None] = field(compare=False)


class Story:
    """One order: its steps share what became of it so far."""

    def __init__(self, random: Random, buyer: UUID | None, items: tuple[Item, ...], fate: str) -> None:
        self._random = random
        self._items = items
        self._fate = fate
        self._buyer = STAFF if buyer is None else customer(buyer)
        self._guest = CustomerFactory.build() if buyer is None else None
        self._order: UUID | None = None
        self._total = Money(0, env.currency)

    def steps(self, placed: datetime) -> Iterator[tuple[datetime, Callable[[datetime], None]]]:
        """(moment, what happens), starting with the placing."""
        paid = placed + timedelta(minutes=self._random.randint(1, 240))
        sent = paid + timedelta(hours=self._random.randint(6, 60))
        yield placed, self._place
        match self._fate:
            case "completed":
                yield paid, self._pay
                yield sent, self._ship
            case "shipped in part":
                yield paid, self._pay
                yield sent, self._ship_first
            case "paid in part":
                yield paid, self._pay_half
            case "paid":
                yield paid, self._pay
            case "cancelled":
                yield paid, self._cancel
            case "cancelled after payment":
                yield paid, self._pay
                yield paid + timedelta(hours=3), self._cancel

    @property
    def _id(self) -> UUID:
        if self._order is None:
            raise RuntimeError("the order is not placed yet")
        return self._order

    def _place(self, now: datetime) -> None:
        guest = self._guest
        command = PlaceOrder(
            lines=self._items,
            currency=env.currency,
            email=guest.email if guest else None,
            name=guest.name if guest else None,
            country=guest.country if guest else None,
        )
        done = place_order(command, actor=self._buyer, now=now)
        self._order = done.id
        self._total = Money(**done.result["total"])

    def _pay(self, now: datetime) -> None:
        pay_order(PayOrder(order_id=self._id, amount=self._total, reference="card"), actor=STAFF, now=now)

    def _pay_half(self, now: datetime) -> None:
        half = Money(self._total.amount_minor // 2, self._total.currency)
        pay_order(PayOrder(order_id=self._id, amount=half, reference="deposit"), actor=STAFF, now=now)

    def _ship(self, now: datetime) -> None:
        tracking = f"RM{self._random.randint(10**8, 10**9 - 1)}GB"
        ship_order(ShipOrder(order_id=self._id, tracking=tracking), actor=STAFF, now=now)

    def _ship_first(self, now: datetime) -> None:
        """One piece of the first line: the order has at least two."""
        first = Item(sku=self._items[0].sku, quantity=1)
        ship_order(ShipOrder(order_id=self._id, lines=(first,)), actor=STAFF, now=now)

    def _cancel(self, now: datetime) -> None:
        reason = self._random.choice(REASONS)
        cancel_order(CancelOrder(order_id=self._id, reason=reason), actor=STAFF, now=now)


def customer(customer_id: UUID) -> Actor:
    """The shop itself, on behalf of a customer who has no login."""
    return replace(STAFF, customer_id=customer_id)


def order_steps(random: Random, count: int, customers: list[UUID], skus: list[str], now: datetime) -> list[Step]:
    """Steps of so many orders over the last weeks, in time; what would happen after ``now`` has not happened yet."""
    steps: list[Step] = []
    for number in range(count):
        placed = now - timedelta(minutes=random.randint(5, WEEKS * 7 * 24 * 60))
        buyer = None if number % 9 == 8 else random.choice(customers)
        chosen = random.sample(skus, random.choice((1, 1, 2, 2, 3, 4, 6)) + (number % 17 == 11))
        items = tuple(
            Item(sku=sku, quantity=random.choice((1, 1, 1, 2, 2, 3)) + (not place)) for place, sku in enumerate(chosen)
        )
        story = Story(random, buyer, items, FATES[number % len(FATES)])
        steps += [Step(at, len(steps) + place, do) for place, (at, do) in enumerate(story.steps(placed))]
    return sorted(step for step in steps if step.at <= now)


def fill_cart(random: Random, customer_id: UUID, skus: list[str], now: datetime) -> None:
    """An open cart with one to three lines."""
    actor = customer(customer_id)
    cart = create_cart(CreateCart(), actor=actor, now=now)
    for sku in random.sample(skus, random.randint(1, 3)):
        add_line(AddLine(cart_id=cart.id, sku=sku, quantity=random.randint(1, 2)), actor=actor, now=now)
