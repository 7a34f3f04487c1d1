"""Logging in: an e-mail address and a password for an access token (five minutes) and a refresh token.

The access token says who its bearer is (``sub``), which customer (``customer_id``, or null) and with which roles
(``roles``); query hosts verify it with the public key alone. The refresh token says only who; what its bearer may do
is read anew from the tables at every refresh, so a deactivated user or a changed staff flag counts within minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from uuid import UUID

from django.contrib.auth import authenticate
from rest_framework_simplejwt.exceptions import TokenError
from rest_framework_simplejwt.tokens import RefreshToken

from acme.errors import NotAuthenticated
from commands.customers.models import User
from commands.customers.roles import customer_id_of, roles_of


@dataclass(frozen=True, kw_only=True)
class Tokens:
    """Both as signed JWTs."""

    access: str = field(repr=False)
    refresh: str = field(repr=False)


def log_in(email: str, password: str) -> Tokens:
    """Raises `NotAuthenticated` ``wrong-credentials``: one answer for unknown e-mail, wrong password, deactivated user.

    Django's backend hashes the password in each of these cases, so that they take about as long.
    """
    known_as = email.strip().lower()
    user = authenticate(username=known_as if known_as.isprintable() else "", password=password)
    if not isinstance(user, User):
        raise NotAuthenticated("this e-mail and password do not belong together", code="wrong-credentials")
    return _tokens(user)


def refresh(token: str) -> Tokens:
    """New tokens for a valid refresh token. Raises `NotAuthenticated` ``wrong-token``."""
    try:
        user_id = UUID(RefreshToken(token)["sub"])  # type: ignore[arg-type]  # simplejwt's annotation is too narrow
    except (TokenError, KeyError, ValueError) as error:
        raise _refused() from error
    user = User.objects.filter(id=user_id, is_active=True).first()
    if user is None:
        raise _refused()
    return _tokens(user)


def _tokens(user: User) -> Tokens:
    refresh_token = RefreshToken.for_user(user)
    access = refresh_token.access_token
    customer_id = customer_id_of(user)
    access["customer_id"] = None if customer_id is None else str(customer_id)
    access["roles"] = sorted(roles_of(user, customer_id))
    return Tokens(access=str(access), refresh=str(refresh_token))


def _refused() -> NotAuthenticated:
    return NotAuthenticated("the refresh token is not valid, or not any more", code="wrong-token")
