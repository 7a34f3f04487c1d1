"""The states of a cart: only an open one can be changed, and it is checked out once."""

from __future__ import annotations

from acme.errors import Conflict
from commands.carts.models import Cart
from commands.transitions import Transitions

CART: Transitions = {Cart.Status.OPEN: frozenset({Cart.Status.CHECKED_OUT})}


def check_open(cart: Cart) -> None:
    """Raises `Conflict` ``wrong-state``."""
    if cart.status != Cart.Status.OPEN:
        raise Conflict(f"cart {cart.id} is {cart.status} and cannot be changed", code="wrong-state")
