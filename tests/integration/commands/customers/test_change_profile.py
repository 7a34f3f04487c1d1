"""Changing a profile: what is not mentioned stays, null forgets, and only the owner and staff may."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from acme.contracts.customers import CustomerPersonal, ProfileChanged
from acme.errors import Invalid, NotAuthenticated, NotFound, StaleVersion
from acme.identity import Actor
from commands.customers.change_profile import ChangeProfile, change_profile
from commands.customers.models import Customer
from commands.customers.register_customer import RegisterCustomer, register_customer
from tests.integration.commands.shop import NOBODY, OTHER_GUEST, STAFF, STRANGER, events_of, refused, run, shopper

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> UUID:
    command = RegisterCustomer(email="ada@example.org", password="correct-horse", name="Ada", country="GB")
    return run(register_customer, command).id


@pytest.mark.parametrize("actor", [None, STAFF])
def test_owner_and_staff_change_it(ada: UUID, actor: Actor | None) -> None:
    done = run(change_profile, ChangeProfile(customer_id=ada, country="FR", expected_version=1), actor or shopper(ada))
    assert (done.version, done.changed) == (2, True)
    assert events_of(ada)[1] == ProfileChanged(
        customer_id=ada,
        country="FR",
        old_country="GB",
        personal=CustomerPersonal(email="ada@example.org", name="Ada"),
    )
    assert Customer.objects.filter(id=ada, country="FR", name="Ada", version=2).exists()


def test_null_forgets(ada: UUID) -> None:
    run(change_profile, ChangeProfile(customer_id=ada, name=None), shopper(ada))
    assert Customer.objects.get(id=ada).name is None
    assert events_of(ada)[1].personal == CustomerPersonal(email="ada@example.org", name=None)  # type: ignore[attr-defined]


def test_the_same_again_records_nothing(ada: UUID) -> None:
    done = run(change_profile, ChangeProfile(customer_id=ada, name="Ada", country="gb"), shopper(ada))
    assert (done.version, done.changed, len(events_of(ada))) == (1, False, 1)


@pytest.mark.parametrize(("actor", "kind"), [(STRANGER, NotFound), (OTHER_GUEST, NotFound), (NOBODY, NotAuthenticated)])
@pytest.mark.parametrize("expected_version", [None, 7])
def test_outsiders_learn_nothing(ada: UUID, actor: Actor, kind: type, expected_version: int | None) -> None:
    messages = set()
    for customer_id in (ada, uuid4()):
        with refused(kind) as caught:
            run(change_profile, ChangeProfile(customer_id=customer_id, expected_version=expected_version), actor)
        messages.add(caught[0].detail.replace(str(customer_id), "ID"))
    assert len(messages) == 1


def test_stale_or_wrong_input_is_refused(ada: UUID) -> None:
    with refused(StaleVersion):
        run(change_profile, ChangeProfile(customer_id=ada, name="A", expected_version=2), shopper(ada))
    with refused(Invalid, pointer="/name"):
        run(change_profile, ChangeProfile(customer_id=ada, name="A" * 201), shopper(ada))
    with refused(Invalid, pointer="/country"):
        run(change_profile, ChangeProfile(customer_id=ada, country="G\nB"), shopper(ada))
