"""The life of a product: draft ⇄ published, and from both to archived, which is final."""

from __future__ import annotations

from uuid import UUID

from acme.errors import Conflict
from commands.catalog.models import Product
from commands.handling import lock
from commands.transitions import Transitions, check_transition

Status = Product.Status

TRANSITIONS: Transitions = {
    Status.DRAFT: frozenset({Status.PUBLISHED, Status.ARCHIVED}),
    Status.PUBLISHED: frozenset({Status.DRAFT, Status.ARCHIVED}),
}


def lock_product(product_id: UUID, expected_version: int | None) -> Product:
    """The product, locked, to change something other than its status. Raises `Conflict` when it is archived."""
    product = lock(Product, id=product_id, expected_version=expected_version)
    if product.status == Status.ARCHIVED:
        raise Conflict("the product is archived and cannot be changed", code="wrong-state")
    return product


def change_status(product: Product, target: Product.Status) -> bool:
    """Sets the status; False when it is that already. Raises `Conflict` where the table does not lead there."""
    if product.status == target:
        return False
    check_transition(TRANSITIONS, what="the product", current=product.status, target=target)
    product.status = target
    return True
