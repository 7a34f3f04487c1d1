"""Every command on somebody's cart or order, tried by everybody else: refused alike whether it exists or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

import pytest

from acme.contracts.base import Money
from acme.errors import Forbidden, NotAuthenticated, NotFound
from acme.identity import Actor
from commands.carts.add_line import AddLine, add_line
from commands.carts.change_line import ChangeLine, change_line
from commands.carts.create_cart import CreateCart, create_cart
from commands.carts.remove_line import RemoveLine, remove_line
from commands.handling import Done
from commands.orders.cancel_order import CancelOrder, cancel_order
from commands.orders.pay_order import PayOrder, pay_order
from commands.orders.place_order import PlaceOrder, place_order
from commands.orders.ship_order import ShipOrder, ship_order
from tests.integration.commands.orders.placed import placed
from tests.integration.commands.shop import NOBODY, OTHER_GUEST, STRANGER, refused, run, stocked

pytestmark = pytest.mark.django_db
Case = tuple[Callable[..., Done], Callable[[UUID], Any]]

CARTS: list[Case] = [
    (add_line, lambda its: AddLine(cart_id=its, sku="MUG", quantity=1)),
    (change_line, lambda its: ChangeLine(cart_id=its, sku="MUG", quantity=2)),
    (remove_line, lambda its: RemoveLine(cart_id=its, sku="MUG")),
    (place_order, lambda its: PlaceOrder(cart_id=its)),
]
ORDERS: list[Case] = [
    (cancel_order, lambda its: CancelOrder(order_id=its, reason="spite")),
    (pay_order, lambda its: PayOrder(order_id=its, amount=Money(1, "GBP"))),
    (ship_order, lambda its: ShipOrder(order_id=its)),
]


def expected(handler: Callable[..., Done], actor: Actor) -> type:
    if actor is NOBODY:
        return NotAuthenticated
    if handler is ship_order:  # for staff, whoever's it is
        return Forbidden if actor.is_authenticated else NotAuthenticated
    return NotFound


@pytest.mark.parametrize("actor", [STRANGER, OTHER_GUEST, NOBODY], ids=["customer", "guest", "nobody"])
@pytest.mark.parametrize(("handler", "command"), CARTS + ORDERS, ids=lambda each: getattr(each, "__name__", ""))
def test_outsiders_are_refused_alike(
    handler: Callable[..., Done], command: Callable[[UUID], Any], actor: Actor
) -> None:
    stocked("MUG")
    if (handler, command) in CARTS:
        done = run(create_cart, CreateCart(), Actor())
        existing = done.id
        run(add_line, AddLine(cart_id=existing, sku="MUG", quantity=1), Actor(guest_token=done.result["token"]))
    else:
        existing = placed(("MUG", 1)).id
    said = set()
    for aggregate_id in (existing, uuid4()):
        with refused(expected(handler, actor)) as caught:
            run(handler, command(aggregate_id), actor)
        said.add((caught[0].code, caught[0].detail.replace(str(aggregate_id), "ID")))
    assert len(said) == 1
