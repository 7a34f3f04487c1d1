"""Change a customer's name or country."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msgspec import UNSET, UnsetType

from acme.contracts.customers import CustomerPersonal, ProfileChanged
from acme.identity import Actor
from commands.customers.models import Customer
from commands.handling import Done
from commands.outbox.record import record
from commands.ownership import lock_owned
from commands.texts import clean_country, clean_name


@dataclass(frozen=True, kw_only=True)
class ChangeProfile:
    """What is UNSET stays; None or blank means not known any more."""

    customer_id: UUID
    name: str | UnsetType | None = UNSET
    country: str | UnsetType | None = UNSET
    expected_version: int | None = None


def change_profile(command: ChangeProfile, *, actor: Actor, now: datetime) -> Done:
    """The customer and staff may. Nothing is recorded when everything is already as asked."""
    customer = lock_owned(Customer, id=command.customer_id, actor=actor, expected_version=command.expected_version)
    name = customer.name if isinstance(command.name, UnsetType) else clean_name(command.name)
    country = customer.country if isinstance(command.country, UnsetType) else clean_country(command.country)
    if (name, country) == (customer.name, customer.country):
        return Done(id=customer.id, version=customer.version, changed=False)
    record(
        customer,
        ProfileChanged(
            customer_id=customer.id,
            country=country,
            old_country=customer.country,
            personal=CustomerPersonal(email=customer.email, name=name),
        ),
        actor=actor,
        now=now,
    )
    customer.name, customer.country = name, country
    customer.save()
    return Done(id=customer.id, version=customer.version)
