"""Who may ask: REST framework's permissions over the `Actor` of the access token."""

from __future__ import annotations

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from acme.errors import Forbidden, NotAuthenticated
from acme.http.authentication import actor_of
from acme.identity import Actor


class IsStaff(BasePermission):
    """401 without an access token, 403 for those who are not of the staff."""

    message = "This is for the staff."

    def has_permission(self, request: Request, view: Any) -> bool:
        return actor_of(request).is_staff


def require_staff(actor: Actor, what: str) -> None:
    """For a part of a query, such as one parameter. Raises `NotAuthenticated` or `Forbidden`."""
    if not actor.is_authenticated:
        raise NotAuthenticated(f"{what} is for the staff: log in first.")
    if not actor.is_staff:
        raise Forbidden(f"{what} is for the staff.")
