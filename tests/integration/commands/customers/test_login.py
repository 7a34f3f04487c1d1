"""Logging in: claims of the tokens, one answer for all wrong credentials, and refresh seeing what changed since."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import jwt
import pytest
from django.conf import settings

from acme.errors import NotAuthenticated
from acme.identity import Role
from commands.customers.login import Tokens, log_in, refresh
from commands.customers.models import User
from commands.customers.register_customer import RegisterCustomer, register_customer
from commands.customers.set_staff import SetStaff, set_staff
from tests.integration.commands.shop import run

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse"


@pytest.fixture
def ada() -> UUID:
    return run(register_customer, RegisterCustomer(email="ada@example.org", password=PASSWORD)).id


def claims(token: str) -> dict[str, Any]:
    """Verified with the public key alone, as a query host does."""
    public_key = settings.SIMPLE_JWT["VERIFYING_KEY"]
    return jwt.decode(token, public_key, algorithms=["EdDSA"], audience="acme-api", issuer="acme")


def test_an_access_token_says_who_and_lives_five_minutes(ada: UUID) -> None:
    access = claims(log_in(" ADA@example.org", PASSWORD).access)
    assert access["sub"] == str(User.objects.get().id)
    assert (access["customer_id"], access["roles"], access["token_type"]) == (str(ada), ["customer"], "access")
    assert 0 < access["exp"] - access["iat"] <= 300


def test_a_refresh_token_says_only_who(ada: UUID) -> None:
    token = claims(log_in("ada@example.org", PASSWORD).refresh)
    assert token["token_type"] == "refresh"
    assert "roles" not in token and "customer_id" not in token


def test_roles_are_read_anew_at_refresh(ada: UUID) -> None:
    tokens = log_in("ada@example.org", PASSWORD)
    run(set_staff, SetStaff(customer_id=ada, is_staff=True, is_superuser=True))
    tokens = refresh(tokens.refresh)
    assert set(claims(tokens.access)["roles"]) == set(Role)
    run(set_staff, SetStaff(customer_id=ada, is_staff=False))
    assert claims(refresh(tokens.refresh).access)["roles"] == ["customer"]


def test_a_deactivated_user_neither_refreshes_nor_logs_in(ada: UUID) -> None:
    tokens = log_in("ada@example.org", PASSWORD)
    User.objects.update(is_active=False)
    assert _said(lambda: refresh(tokens.refresh)) == _said(lambda: refresh("nonsense"))
    assert _said(lambda: log_in("ada@example.org", PASSWORD)) == _said(lambda: log_in("ada@example.org", "wrong"))


def test_an_access_token_is_no_refresh_token(ada: UUID) -> None:
    tokens = log_in("ada@example.org", PASSWORD)
    assert _said(lambda: refresh(tokens.access)) == _said(lambda: refresh(""))


@pytest.mark.parametrize("email", ["ada@example.org", "unknown@example.org", "", "a\0da@example.org"])
def test_wrong_credentials_have_one_answer_and_cost_one_hash(
    ada: UUID, email: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.contrib.auth.hashers import MD5PasswordHasher

    hashed, encode = [], MD5PasswordHasher.encode

    def counted(hasher: MD5PasswordHasher, password: str, salt: str, *rest: Any) -> str:
        hashed.append(password)
        return encode(hasher, password, salt, *rest)

    monkeypatch.setattr(MD5PasswordHasher, "encode", counted)
    assert _said(lambda: log_in(email, "wrong")) == (
        "wrong-credentials",
        "this e-mail and password do not belong together",
    )
    assert hashed == ["wrong"]


def _said(attempt: Any) -> tuple[str, str]:
    with pytest.raises(NotAuthenticated) as caught:
        result: Tokens = attempt()
        pytest.fail(f"let in: {result}")
    return caught.value.code, caught.value.detail
