"""Import a customer of another system by number; there is no login."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.customers import CustomerPersonal, CustomerRegistered
from acme.errors import Invalid
from acme.identity import Actor, Role
from commands.customers.models import Customer
from commands.handling import Done, requires
from commands.outbox.record import record
from commands.texts import clean_country, clean_email, clean_name, clean_text

NUMBER_LENGTH = 40


@dataclass(frozen=True, kw_only=True)
class ImportCustomer:
    """``since``: when the customer first appeared there (default: now)."""

    number: str
    country: str | None = None
    email: str | None = None
    name: str | None = None
    since: datetime | None = None


@requires(Role.STAFF)
def import_customer(command: ImportCustomer, *, actor: Actor, now: datetime) -> Done:
    """Staff only. A number that is known already changes nothing (``changed`` is False)."""
    number = clean_text(command.number, pointer="/number", max_length=NUMBER_LENGTH)
    if number is None:
        raise Invalid("a customer number is needed", code="required", pointer="/number")
    known = Customer.objects.filter(number=number).values_list("id", "version").first()
    if known is not None:
        return Done(id=known[0], version=known[1], changed=False)
    customer = Customer(
        number=number,
        email=clean_email(command.email),
        name=clean_name(command.name),
        country=clean_country(command.country),
        created_at=now,
    )
    personal = CustomerPersonal(email=customer.email, name=customer.name)
    record(
        customer,
        CustomerRegistered(
            customer_id=customer.id,
            number=number,
            country=customer.country,
            has_login=False,
            personal=None if personal == CustomerPersonal() else personal,
        ),
        actor=actor,
        now=now,
        occurred_at=command.since,
    )
    customer.save(force_insert=True)
    return Done(id=customer.id, version=customer.version)


def known_customers(numbers: Iterable[str]) -> dict[str, UUID]:
    """The ids of those numbers that are imported already, in one query."""
    return dict(Customer.objects.filter(number__in=list(numbers)).values_list("number", "id"))
