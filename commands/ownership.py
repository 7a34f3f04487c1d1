"""Locking what belongs to somebody: its owner and, mostly, staff get in; others do not even learn that it exists."""

from __future__ import annotations

from typing import Protocol, TypeVar, cast
from uuid import UUID

from acme.errors import NotAuthenticated, NotFound, StaleVersion
from acme.identity import Actor
from commands.aggregate import Aggregate
from commands.handling import lock

A = TypeVar("A", bound=Aggregate)


class Owned(Protocol):
    """An aggregate that knows its owner."""

    def is_owned_by(self, actor: Actor) -> bool: ...


def lock_owned(
    model: type[A],
    *,
    id: UUID,  # noqa: A002
    actor: Actor,
    expected_version: int | None = None,
    staff_too: bool = True,
) -> A:
    """Like `commands.handling.lock`, for the owner and, with ``staff_too``, staff only.

    Outsiders get the same `NotFound` as for an id that does not exist, and no `StaleVersion` that would give it away;
    whoever shows neither an access token nor a guest token gets `NotAuthenticated` before anything is looked up.
    """
    if not actor.is_authenticated and actor.guest_token is None:
        raise NotAuthenticated("this needs an access token or the guest token")
    found = lock(model, id=id)
    if not (staff_too and actor.is_staff) and not cast(Owned, found).is_owned_by(actor):
        raise NotFound(f"there is no {model._meta.verbose_name} {id}")
    if expected_version is not None and found.version != expected_version:
        raise StaleVersion(f"version {expected_version} was expected, {found.version} is current")
    return found
