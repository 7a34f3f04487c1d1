"""Make a customer's user staff, or take that away."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.customers import StaffFlagSet
from acme.errors import Conflict, Forbidden
from acme.identity import Actor, Role
from commands.customers.models import Customer
from commands.handling import Done, lock, requires
from commands.outbox.record import record


@dataclass(frozen=True, kw_only=True)
class SetStaff:
    """``is_superuser`` is for the shop itself (create_users): None leaves the flag as it is."""

    customer_id: UUID
    is_staff: bool
    is_superuser: bool | None = None
    expected_version: int | None = None


@requires(Role.SUPERUSER)
def set_staff(command: SetStaff, *, actor: Actor, now: datetime) -> Done:
    """Superusers only, and not for themselves, so that one always remains. Who is no longer staff is no superuser.

    Raises `Conflict` ``no-login`` for a customer who cannot log in. It counts at the next refresh of the access token.
    """
    if command.is_superuser is not None and actor.system is None:
        raise Forbidden("only the shop itself makes superusers")
    if actor.customer_id == command.customer_id:
        raise Conflict("nobody changes their own staff flag", code="own-staff-flag")
    customer = lock(Customer, id=command.customer_id, expected_version=command.expected_version)
    user = customer.user
    if user is None:
        raise Conflict("this customer has no login", code="no-login")
    superuser = user.is_superuser if command.is_superuser is None else command.is_superuser
    user.is_staff, user.is_superuser = command.is_staff, superuser and command.is_staff
    user.save(update_fields=["is_staff", "is_superuser"])
    if customer.is_staff == command.is_staff:
        return Done(id=customer.id, version=customer.version, changed=False)
    record(customer, StaffFlagSet(customer_id=customer.id, is_staff=command.is_staff), actor=actor, now=now)
    customer.is_staff = command.is_staff
    customer.save()
    return Done(id=customer.id, version=customer.version)
