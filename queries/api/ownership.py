"""Whose a stored cart or order is."""

from __future__ import annotations

from uuid import UUID

from acme.identity import Actor
from queries.reading import Stored


def is_owner(actor: Actor, section: Stored | None) -> bool:
    """Whether the section's customer or guest token is the actor's; never where the section is missing."""
    if not section:
        return False
    customer = section.get("customer_id")
    return actor.owns(UUID(customer) if customer else None, section.get("guest_token_hash"))
