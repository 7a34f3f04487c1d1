"""A read store of the test's own behind the admin pages, and browsers for people with different permissions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from pymongo.database import Database

from commands.customers.models import User
from queries.documents import connection

EMAIL = "operator@acme.test"


@pytest.fixture
def store(mongo: str, mongo_database: str, point_mongodb: Callable[[str], None]) -> Database[dict[str, Any]]:
    """Empty."""
    point_mongodb(f"{mongo.rpartition('/')[0]}/{mongo_database}")
    return connection.database()


def logged_in(email: str, *codenames: str, **fields: Any) -> Client:
    """A browser of a new user with these permissions of the app."""
    user = User.objects.create_user(email, **fields)
    found = Permission.objects.filter(content_type__app_label="projections", codename__in=codenames)
    assert len(found) == len(codenames)
    user.user_permissions.set(found)
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def boss(db: None) -> Client:
    return logged_in("boss@acme.test", is_staff=True, is_superuser=True)


@pytest.fixture
def operator(db: None) -> Client:
    """Staff with every permission of these pages, and no superuser."""
    codenames = ("view_projection", "control_projection", "view_deadletter", "retry_deadletter", "discard_deadletter")
    return logged_in(EMAIL, *codenames, is_staff=True)


@pytest.fixture
def onlooker(db: None) -> Client:
    """Staff who may look and do nothing."""
    return logged_in("onlooker@acme.test", "view_projection", "view_deadletter", is_staff=True)


@pytest.fixture
def nobody(db: None) -> Client:
    """Staff without any of these permissions."""
    return logged_in("nobody@acme.test", is_staff=True)
