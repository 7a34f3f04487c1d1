"""The staff flag: superusers only, never one's own; the log and the user say the same."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from acme.contracts.customers import StaffFlagSet
from acme.errors import Conflict, Forbidden, NotAuthenticated, StaleVersion
from acme.identity import Actor, Role
from commands.customers.import_customer import ImportCustomer, import_customer
from commands.customers.models import Customer
from commands.customers.register_customer import RegisterCustomer, register_customer
from commands.customers.set_staff import SetStaff, set_staff
from tests.integration.commands.shop import NOBODY, SHOP, STAFF, STRANGER, events_of, refused, run, shopper

pytestmark = pytest.mark.django_db
SUPERUSER = Actor(user_id=uuid4(), customer_id=uuid4(), roles=frozenset(Role))


@pytest.fixture
def ada() -> UUID:
    return run(register_customer, RegisterCustomer(email="ada@example.org", password="correct-horse")).id


def test_given_and_taken_away(ada: UUID) -> None:
    for version, flag in ((2, True), (3, False)):
        done = run(set_staff, SetStaff(customer_id=ada, is_staff=flag, expected_version=version - 1), SUPERUSER)
        customer = Customer.objects.get(id=ada)
        assert (done.version, customer.version, customer.is_staff, customer.user.is_staff) == (
            version,
            version,
            flag,
            flag,
        )
    assert events_of(ada)[1:] == [
        StaffFlagSet(customer_id=ada, is_staff=True),
        StaffFlagSet(customer_id=ada, is_staff=False),
    ]


def test_the_same_again_records_nothing(ada: UUID) -> None:
    done = run(set_staff, SetStaff(customer_id=ada, is_staff=False), SUPERUSER)
    assert (done.version, done.changed, len(events_of(ada))) == (1, False, 1)


def test_who_is_no_longer_staff_is_no_superuser(ada: UUID) -> None:
    run(set_staff, SetStaff(customer_id=ada, is_staff=True, is_superuser=True), SHOP)
    assert Customer.objects.get(id=ada).user.is_superuser
    run(set_staff, SetStaff(customer_id=ada, is_staff=False), SUPERUSER)
    assert not Customer.objects.get(id=ada).user.is_superuser


@pytest.mark.parametrize("actor", [STAFF, STRANGER, None, NOBODY])
def test_nobody_else_may(ada: UUID, actor: Actor | None) -> None:
    with refused(NotAuthenticated if actor is NOBODY else Forbidden):
        run(set_staff, SetStaff(customer_id=ada, is_staff=True), actor or shopper(ada))


def test_refused(ada: UUID) -> None:
    with refused(Forbidden):
        run(set_staff, SetStaff(customer_id=ada, is_staff=True, is_superuser=True), SUPERUSER)
    with refused(Conflict, code="own-staff-flag"):
        run(set_staff, SetStaff(customer_id=SUPERUSER.customer_id, is_staff=False), SUPERUSER)  # type: ignore[arg-type]
    with refused(StaleVersion):
        run(set_staff, SetStaff(customer_id=ada, is_staff=True, expected_version=9), SUPERUSER)
    imported = run(import_customer, ImportCustomer(number="17850")).id
    with refused(Conflict, code="no-login"):
        run(set_staff, SetStaff(customer_id=imported, is_staff=True), SUPERUSER)
