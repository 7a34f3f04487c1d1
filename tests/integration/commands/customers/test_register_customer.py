"""Registering: user, customer and event together; personal data sealed; weak passwords and taken e-mails refused."""

from __future__ import annotations

from threading import Barrier, Thread

import pytest
from django.db import connections

from acme.contracts.customers import CustomerPersonal, CustomerRegistered
from acme.errors import Conflict, Invalid, ShopError
from commands.customers.models import Customer, User
from commands.customers.register_customer import RegisterCustomer, register_customer
from commands.outbox.models import DomainEvent
from tests.integration.commands.shop import NOBODY, events_of, refused, run

PASSWORD = "correct-horse-battery"
ADA = RegisterCustomer(email=" Ada@Example.org ", password=PASSWORD, name=" Ada Lovelace ", country="gb")


@pytest.mark.django_db
def test_user_customer_and_event_come_together() -> None:
    done = run(register_customer, ADA, actor=NOBODY)
    customer = Customer.objects.get(id=done.id)
    assert (customer.email, customer.name, customer.country) == ("ada@example.org", "Ada Lovelace", "GB")
    assert (done.version, customer.version) == (1, 1)
    assert customer.user is not None and customer.user.check_password(PASSWORD) and not customer.user.is_staff
    assert events_of(done.id) == [
        CustomerRegistered(
            customer_id=done.id,
            number=None,
            country="GB",
            has_login=True,
            personal=CustomerPersonal(email="ada@example.org", name="Ada Lovelace"),
        )
    ]


@pytest.mark.django_db
def test_the_log_shows_neither_name_nor_email_nor_password() -> None:
    done = run(register_customer, ADA, actor=NOBODY)
    row = DomainEvent.objects.get(aggregate_id=done.id)
    shown = str((row.data, row.personal, row.metadata)).lower()
    assert row.personal["subject"] == f"customer:{done.id}"
    for secret in ("ada", "lovelace", "example.org", PASSWORD):
        assert secret not in shown.replace(row.personal["sealed"].lower(), "")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("email", "password", "pointer"),
    [
        ("ada@example.org", "short", "/password"),
        ("ada@example.org", "12345678901", "/password"),
        ("ada@example.org", "password1", "/password"),
        ("ada@example.org", "ada@example.org", "/password"),
        ("ada@example.org", "x7" * 65, "/password"),
        ("", PASSWORD, "/email"),
        ("ada", PASSWORD, "/email"),
        ("a\0da@example.org", PASSWORD, "/email"),
        ("a" * 250 + "@example.org", PASSWORD, "/email"),
    ],
)
def test_a_weak_password_or_a_wrong_email_is_refused(email: str, password: str, pointer: str) -> None:
    with refused(Invalid, pointer=pointer):
        run(register_customer, RegisterCustomer(email=email, password=password), actor=NOBODY)


@pytest.mark.django_db
def test_an_email_is_taken_in_any_case() -> None:
    run(register_customer, ADA, actor=NOBODY)
    with refused(Conflict, code="email-taken"):
        run(register_customer, RegisterCustomer(email="ADA@EXAMPLE.ORG", password=PASSWORD), actor=NOBODY)


def test_of_many_at_once_one_gets_the_email(shop_database: None) -> None:
    barrier, answers = Barrier(8), []

    def register() -> None:
        barrier.wait()
        try:
            run(register_customer, ADA, actor=NOBODY)
            answers.append("registered")
        except ShopError as error:
            answers.append(error.code)
        finally:
            connections.close_all()

    threads = [Thread(target=register) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == ["email-taken"] * 7 + ["registered"]
    assert (User.objects.count(), Customer.objects.count(), DomainEvent.objects.count()) == (1, 1, 1)
