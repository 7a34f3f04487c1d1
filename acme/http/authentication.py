"""Who asks: verifies access tokens with the public key alone, so that a query host needs no database and can mint none.

Claims of an access token: ``sub`` (user id), ``customer_id`` (or null), ``roles`` (values of `acme.identity.Role`),
``token_type`` "access", ``iss``, ``aud``, ``exp``. Guests send the token of their cart or order as ``Guest-Token``.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from uuid import UUID

import jwt
from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from acme.env import env
from acme.http.problems import header_invalid
from acme.identity import ANONYMOUS, Actor, Role

_GUEST_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,200}")


class AccessToken(BaseAuthentication):
    """``Authorization: Bearer <access token>``; the request's user is then an `Actor`, without header it is None."""

    def authenticate(self, request: Request) -> tuple[Actor, dict[str, Any]] | None:
        header = request.headers.get("Authorization")
        if header is None:
            return None
        scheme, _, raw = header.partition(" ")
        if scheme.lower() != "bearer" or not raw.strip():
            raise AuthenticationFailed("Authorization must be: Bearer <access token>")
        claims = _verified(raw.strip())
        return replace(_actor(claims), guest_token=_guest_token(request)), claims

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def actor_of(request: Request) -> Actor:
    """Who sent the request: the bearer of its access token, or a guest with or without a token."""
    if isinstance(request.user, Actor):
        return request.user
    token = _guest_token(request)
    return Actor(guest_token=token) if token else ANONYMOUS


def _guest_token(request: Request) -> str | None:
    token = request.headers.get("Guest-Token")
    if token is not None and not _GUEST_TOKEN.fullmatch(token):
        raise header_invalid("Guest-Token", "is not a guest token of this shop")
    return token


def _verified(raw: str) -> dict[str, Any]:
    options = settings.SIMPLE_JWT
    try:
        claims: dict[str, Any] = jwt.decode(
            raw,
            env.require("jwt_public_key"),
            algorithms=[options["ALGORITHM"]],
            audience=options["AUDIENCE"],
            issuer=options["ISSUER"],
            options={"require": ["exp", "sub", "aud", "iss"]},
        )
    except jwt.ExpiredSignatureError as error:
        raise AuthenticationFailed("The access token has expired.") from error
    except jwt.InvalidTokenError as error:
        raise AuthenticationFailed("The access token is not valid.") from error
    if claims.get("token_type") != "access":
        raise AuthenticationFailed("This is not an access token.")
    return claims


def _actor(claims: dict[str, Any]) -> Actor:
    try:
        customer = claims.get("customer_id")
        return Actor(
            user_id=UUID(claims["sub"]),
            customer_id=UUID(customer) if customer else None,
            roles=frozenset(Role(role) for role in claims.get("roles", ())),
        )
    except (ValueError, TypeError, AttributeError) as error:
        raise AuthenticationFailed("The access token's claims are not valid.") from error
