"""What other slices may know of a customer: how to reach them and where they live."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from acme.errors import NotFound
from commands.customers.models import Customer


@dataclass(frozen=True, kw_only=True)
class Contact:
    """None where it is not known."""

    email: str | None = None
    name: str | None = None
    country: str | None = None


def contact_of(customer_id: UUID) -> Contact:
    """The customer's e-mail, name and country as they are now. Raises `NotFound`."""
    row = Customer.objects.filter(id=customer_id).values("email", "name", "country").first()
    if row is None:
        raise NotFound(f"there is no customer {customer_id}")
    return Contact(**row)
