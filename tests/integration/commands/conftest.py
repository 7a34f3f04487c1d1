"""A browser for tests of the admin."""

from __future__ import annotations

import pytest
from django.test import Client

from commands.customers.models import User


@pytest.fixture
def staff() -> Client:
    """A browser in which a member of staff, no superuser, is logged in."""
    client = Client()
    client.force_login(User.objects.create_user("staff@acme.test", is_staff=True))
    return client
