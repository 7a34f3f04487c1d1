"""Place an order from a cart or from lines: prices it, reserves its stock and checks the cart out, all or nothing.

Locks are taken in one order everywhere, so that placements cannot deadlock: the cart, then the stock items by id.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import connection

from acme.contracts.orders import OrderLine, OrderPersonal, OrderPlaced
from acme.env import env
from acme.errors import Invalid
from acme.identity import Actor, hash_token, new_token
from commands.carts.check_out_cart import CheckOutCart, check_out_cart, lock_for_check_out
from commands.customers.contact import Contact, contact_of
from commands.handling import Done
from commands.inventory.reserve_stock import ReserveStock, reserve_stock
from commands.orders.confirm import confirm
from commands.orders.items import Item, pointers_to, priced, summed
from commands.orders.models import Order
from commands.orders.sale import sale_of, save_lines, summary
from commands.outbox.record import record
from commands.texts import clean_country, clean_email, clean_name


@dataclass(frozen=True, kw_only=True)
class PlaceOrder:
    """Either ``cart_id`` or ``lines``. ``currency``: the shop's unless given. A customer's order takes e-mail, name and
    country from the customer where they are not given."""

    cart_id: UUID | None = None
    lines: tuple[Item, ...] = ()
    currency: str | None = None
    country: str | None = None
    email: str | None = field(default=None, repr=False)
    name: str | None = field(default=None, repr=False)


@dataclass(frozen=True, kw_only=True)
class _Basket:
    """What is bought and whose order it will be; ``token`` is a guest's new one, answered once."""

    items: tuple[Item, ...]
    customer_id: UUID | None
    guest_token_hash: str | None
    token: str | None = None


def place_order(command: PlaceOrder, *, actor: Actor, now: datetime) -> Done:
    """Anybody may, from a cart only its owner. Prices are today's, not the cart's.

    An order of a guest's cart is opened by the cart's token; who orders from lines without being a customer gets a new
    one in ``result["token"]``. An order that costs nothing is confirmed at once. Raises `Invalid`, and `Conflict`
    ``not-sellable``, ``cart-empty``, ``wrong-state`` or, from the inventory, for want of stock.
    """
    basket = _basket(command, actor)
    pointers = pointers_to(command.lines)
    lines = priced(summed(basket.items), command.currency or env.currency, pointers)
    order = _new_order(command, basket, lines, now)
    reserve = ReserveStock(
        order_id=order.id,
        lines=tuple((line.variant_id, line.quantity) for line in lines),
        pointers={line.variant_id: pointers[line.sku] for line in lines if line.sku in pointers},
    )
    reserve_stock(reserve, actor=actor, now=now)
    if command.cart_id is not None:
        check_out_cart(CheckOutCart(cart_id=command.cart_id, order_id=order.id), actor=actor, now=now)
    personal = OrderPersonal(email=order.email, name=order.name)
    placed = OrderPlaced(
        **sale_of(order, lines),
        cart_id=order.cart_id,
        guest_token_hash=order.guest_token_hash,
        personal=None if personal == OrderPersonal() else personal,
    )
    record(order, placed, actor=actor, now=now)
    if order.total_minor == 0:
        confirm(order, lines, actor=actor, now=now)
    order.save(force_insert=True)
    save_lines([(order, lines)])
    token = {} if basket.token is None else {"token": basket.token}
    return Done(id=order.id, version=order.version, result={**summary(order), **token})


def _basket(command: PlaceOrder, actor: Actor) -> _Basket:
    if (command.cart_id is None) == (not command.lines):
        raise Invalid("give either cart_id or lines", code="cart-or-lines", pointer="")
    if command.cart_id is None:
        token = new_token() if actor.customer_id is None else None
        return _Basket(
            items=command.lines,
            customer_id=actor.customer_id,
            guest_token_hash=None if token is None else hash_token(token),
            token=token,
        )
    cart = lock_for_check_out(command.cart_id, actor=actor)
    items = tuple(Item(sku=sku, quantity=quantity) for sku, quantity in cart.items)
    if cart.customer_id is None and actor.customer_id is not None and actor.owns(None, cart.guest_token_hash):
        # A guest who has logged in since: the order becomes the customer's.
        return _Basket(items=items, customer_id=actor.customer_id, guest_token_hash=None)
    return _Basket(items=items, customer_id=cart.customer_id, guest_token_hash=cart.guest_token_hash)


def _new_order(command: PlaceOrder, basket: _Basket, lines: list[OrderLine], now: datetime) -> Order:
    contact = Contact() if basket.customer_id is None else contact_of(basket.customer_id)
    return Order(
        number=_next_number(),
        customer_id=basket.customer_id,
        guest_token_hash=basket.guest_token_hash,
        cart_id=command.cart_id,
        email=clean_email(command.email) or contact.email,
        name=clean_name(command.name) or contact.name,
        country=clean_country(command.country) or contact.country,
        status=Order.Status.PLACED,
        currency=lines[0].amount.currency,
        total_minor=sum(line.amount.amount_minor for line in lines),
        placed_at=now,
        created_at=now,
    )


def _next_number() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT nextval('order_number')")
        (number,) = cursor.fetchone()
    return str(number)
