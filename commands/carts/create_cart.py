"""Create an empty cart: the customer's own, or a guest's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from acme.contracts.carts import CartCreated
from acme.identity import Actor, hash_token, new_token
from commands.carts.models import Cart
from commands.handling import Done
from commands.outbox.record import record


@dataclass(frozen=True, kw_only=True)
class CreateCart:
    """Whose cart it is follows from the actor."""


def create_cart(command: CreateCart, *, actor: Actor, now: datetime) -> Done:
    """Anybody may. For whoever is no customer, ``result`` has the new guest ``token``: it is answered this once."""
    token = new_token() if actor.customer_id is None else None
    cart = Cart(
        customer_id=actor.customer_id,
        guest_token_hash=None if token is None else hash_token(token),
        created_at=now,
    )
    created = CartCreated(cart_id=cart.id, customer_id=cart.customer_id, guest_token_hash=cart.guest_token_hash)
    record(cart, created, actor=actor, now=now)
    cart.save(force_insert=True)
    return Done(id=cart.id, version=cart.version, result={} if token is None else {"token": token})
