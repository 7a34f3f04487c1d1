"""Who is asking: the same small value on both sides, made from an access token, a guest token or by the system."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class Role(StrEnum):
    """What an access token may say of its bearer."""

    CUSTOMER = "customer"
    STAFF = "staff"
    SUPERUSER = "superuser"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who carries out a command or asks a query. ``guest_token`` opens the guest's own cart and order."""

    user_id: UUID | None = None
    customer_id: UUID | None = None
    roles: frozenset[Role] = field(default_factory=frozenset)
    guest_token: str | None = field(default=None, repr=False)
    system: str | None = None

    @property
    def is_authenticated(self) -> bool:
        return self.user_id is not None or self.system is not None

    @property
    def is_staff(self) -> bool:
        return self.system is not None or Role.STAFF in self.roles or Role.SUPERUSER in self.roles

    def has(self, role: Role) -> bool:
        """Whether the actor has the role; the system has all, staff includes superusers."""
        if role is Role.STAFF:
            return self.is_staff
        return self.system is not None or role in self.roles

    def owns(self, customer_id: UUID | None, guest_token_hash: str | None) -> bool:
        """Whether something that belongs to this customer, or to a guest token, belongs to the actor."""
        if customer_id is not None:
            return self.customer_id == customer_id
        if guest_token_hash is not None and self.guest_token is not None:
            return secrets.compare_digest(hash_token(self.guest_token), guest_token_hash)
        return False

    @property
    def label(self) -> str:
        """For the event's metadata: ``user:ID``, ``system:NAME`` or ``guest``."""
        if self.system is not None:
            return f"system:{self.system}"
        return f"user:{self.user_id}" if self.user_id else "guest"


ANONYMOUS = Actor()


def system(name: str) -> Actor:
    """The shop itself, for importers, seeds and tasks."""
    return Actor(system=name)


def new_token() -> str:
    """An unguessable guest token (256 bits, URL-safe)."""
    return secrets.token_urlsafe(32)


def hash_token(token: str) -> str:
    """The SHA-256 under which a guest token is kept; the token itself is random enough to need no salt."""
    return hashlib.sha256(token.encode()).hexdigest()
