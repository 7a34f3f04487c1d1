"""A user of the shop as an `Actor`: for tokens, and for the admin pages, which know the user by session."""

from __future__ import annotations

from uuid import UUID

from acme.identity import Actor, Role
from commands.customers.models import Customer, User


def customer_id_of(user: User) -> UUID | None:
    """The id of the customer who is this user, if there is one."""
    return Customer.objects.filter(user_id=user.id).values_list("id", flat=True).first()


def roles_of(user: User, customer_id: UUID | None) -> frozenset[Role]:
    """All roles of the user; a superuser is staff too."""
    roles = {
        Role.CUSTOMER: customer_id is not None,
        Role.STAFF: user.is_staff,
        Role.SUPERUSER: user.is_staff and user.is_superuser,
    }
    return frozenset(role for role, held in roles.items() if held)


def actor_of(user: User) -> Actor:
    """The user as the tables have it now."""
    customer_id = customer_id_of(user)
    return Actor(user_id=user.id, customer_id=customer_id, roles=roles_of(user, customer_id))
