"""Importing customers by number: once, without login, without personal data where none is known."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from acme.contracts.customers import CustomerPersonal, CustomerRegistered
from acme.errors import Forbidden, Invalid, NotAuthenticated
from acme.identity import Actor
from commands.customers.import_customer import ImportCustomer, import_customer, known_customers
from commands.customers.models import Customer
from commands.outbox.models import DataSubjectKey, DomainEvent
from tests.integration.commands.shop import NOBODY, STAFF, STRANGER, events_of, everything, refused, run

pytestmark = pytest.mark.django_db
SINCE = datetime(2010, 12, 1, 8, 26, tzinfo=UTC)


def test_imported_once() -> None:
    done = run(import_customer, ImportCustomer(number=" 17850 ", country="GB", since=SINCE), STAFF)
    assert events_of(done.id) == [
        CustomerRegistered(customer_id=done.id, number="17850", country="GB", has_login=False, personal=None)
    ]
    assert DomainEvent.objects.get().occurred_at == SINCE
    assert not DataSubjectKey.objects.exists()
    assert Customer.objects.get(id=done.id).user is None
    before = everything()
    again = run(import_customer, ImportCustomer(number="17850", country="FR"))
    assert (again.id, again.version, again.changed) == (done.id, 1, False)
    assert everything() == before


def test_personal_data_is_sealed_where_known() -> None:
    done = run(import_customer, ImportCustomer(number="1", email="A@example.org", name="A"))
    assert events_of(done.id)[0].personal == CustomerPersonal(email="a@example.org", name="A")  # type: ignore[attr-defined]


def test_known_customers_answers_those_that_are_there() -> None:
    done = run(import_customer, ImportCustomer(number="1"))
    assert known_customers(["1", "2"]) == {"1": done.id}


@pytest.mark.parametrize(("actor", "kind"), [(STRANGER, Forbidden), (NOBODY, NotAuthenticated)])
def test_staff_only(actor: Actor, kind: type) -> None:
    with refused(kind):
        run(import_customer, ImportCustomer(number="1"), actor)


@pytest.mark.parametrize("number", ["", " ", "1" * 41])
def test_a_number_is_needed(number: str) -> None:
    with refused(Invalid, pointer="/number"):
        run(import_customer, ImportCustomer(number=number))
