"""`create_users`: staff user and demo shopper through the handlers, once, with a password that is printed once."""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from acme.contracts.customers import CustomerRegistered, StaffFlagSet
from commands.customers.login import log_in
from commands.customers.models import Customer, User
from commands.management.commands import create_users
from tests.integration.commands.shop import events_of, everything

pytestmark = pytest.mark.django_db


def _run(*options: str) -> str:
    out = StringIO()
    call_command("create_users", *options, stdout=out)
    return out.getvalue()


@pytest.fixture(autouse=True)
def no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(create_users, "env", replace(create_users.env, admin_password=None))


def test_random_passwords_are_printed_once_and_work() -> None:
    said = _run()
    passwords = dict(re.findall(r"^(\S+) created, password (\S+) \(shown this once\)$", said, re.MULTILINE))
    assert set(passwords) == {"admin@acme.test", "shopper@acme.test"}
    for email, password in passwords.items():
        assert log_in(email, password)
    before = everything()
    assert not re.search("password", again := _run()), again
    assert everything() == before


def test_the_log_knows_them() -> None:
    _run()
    admin, shopper = Customer.objects.get(email="admin@acme.test"), Customer.objects.get(email="shopper@acme.test")
    assert [type(event) for event in events_of(admin.id)] == [CustomerRegistered, StaffFlagSet]
    assert [type(event) for event in events_of(shopper.id)] == [CustomerRegistered]
    assert admin.user.is_staff and admin.user.is_superuser and admin.is_staff
    assert not shopper.user.is_staff and not shopper.user.is_superuser


def test_the_admins_password_may_be_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(create_users, "env", replace(create_users.env, admin_password="correct-horse"))
    assert "correct-horse" not in _run("--no-shopper")
    assert log_in("admin@acme.test", "correct-horse")
    assert not User.objects.filter(email="shopper@acme.test").exists()


def test_a_weak_one_is_refused_with_exit_code_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(create_users, "env", replace(create_users.env, admin_password="admin"))
    with pytest.raises(CommandError, match="ACME_ADMIN_PASSWORD") as caught:
        _run()
    assert caught.value.returncode == 2
    assert not User.objects.exists()
