"""Events of carts, owned by a customer or by whoever holds the guest token (of which only the SHA-256 is kept)."""

from __future__ import annotations

from uuid import UUID

from acme.contracts.base import Event, Money, event


@event("cart", id_field="cart_id")
class CartCreated(Event, frozen=True, kw_only=True):
    cart_id: UUID
    customer_id: UUID | None
    guest_token_hash: str | None


@event("cart", id_field="cart_id")
class CartLineAdded(Event, frozen=True, kw_only=True):
    """``quantity`` is the line's quantity now; ``unit_price`` the price when it was added, in the shop's currency."""

    cart_id: UUID
    product_id: UUID
    variant_id: UUID
    sku: str
    name: str
    quantity: int
    unit_price: Money


@event("cart", id_field="cart_id")
class CartLineChanged(Event, frozen=True, kw_only=True):
    cart_id: UUID
    variant_id: UUID
    sku: str
    quantity: int
    old_quantity: int


@event("cart", id_field="cart_id")
class CartLineRemoved(Event, frozen=True, kw_only=True):
    cart_id: UUID
    variant_id: UUID
    sku: str
    old_quantity: int


@event("cart", id_field="cart_id")
class CartCheckedOut(Event, frozen=True, kw_only=True):
    cart_id: UUID
    order_id: UUID
