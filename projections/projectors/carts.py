"""The carts read model."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from acme.contracts.carts import CartCheckedOut, CartCreated, CartLineAdded, CartLineChanged, CartLineRemoved
from projections.runtime.projection import Section, on, projection
from queries.documents.carts import CartDocument

LINE = ("product_id", "variant_id", "sku", "name", "quantity", "unit_price")


@projection(
    "carts", version=1, document=CartDocument, sections=(Section(aggregate="cart", path="cart", mirrors_state=True),)
)
class Carts:
    """One document per cart, lines in the order in which they were first added."""

    @on(CartCreated)
    def created(self, cart: dict[str, Any], event: CartCreated, at: datetime) -> None:
        cart.update(
            customer_id=str(event.customer_id) if event.customer_id else None,
            guest_token_hash=event.guest_token_hash,
            status="open",
            order_id=None,
            lines=[],
            created_at=at,
            updated_at=at,
        )

    @on(CartLineAdded)
    def line_added(self, cart: dict[str, Any], event: CartLineAdded, at: datetime) -> None:
        told = msgspec.to_builtins(event)
        line = {name: told[name] for name in LINE}
        ids = [known["variant_id"] for known in cart["lines"]]
        if line["variant_id"] in ids:
            cart["lines"][ids.index(line["variant_id"])] = line
        else:
            cart["lines"].append(line)
        cart["updated_at"] = at

    @on(CartLineChanged)
    def line_changed(self, cart: dict[str, Any], event: CartLineChanged, at: datetime) -> None:
        line = next(known for known in cart["lines"] if known["variant_id"] == str(event.variant_id))
        line["quantity"] = event.quantity
        cart["updated_at"] = at

    @on(CartLineRemoved)
    def line_removed(self, cart: dict[str, Any], event: CartLineRemoved, at: datetime) -> None:
        gone = str(event.variant_id)
        cart["lines"] = [known for known in cart["lines"] if known["variant_id"] != gone]
        cart["updated_at"] = at

    @on(CartCheckedOut)
    def checked_out(self, cart: dict[str, Any], event: CartCheckedOut, at: datetime) -> None:
        cart.update(status="checked_out", order_id=str(event.order_id), updated_at=at)
