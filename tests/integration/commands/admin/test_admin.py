"""Admin pages as a person uses them: look, press a button, fill in the form; every write is in the log."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib import admin
from django.db.models import Model
from django.test import Client
from django.urls import reverse

from acme.contracts.customers import ProfileChanged, StaffFlagSet
from acme.contracts.orders import FulfilmentShipped, OrderCancelled, OrderCompleted, OrderPaymentRecorded
from commands.carts.create_cart import CreateCart, create_cart
from commands.customers.models import User
from commands.customers.register_customer import RegisterCustomer, register_customer
from commands.customers.set_staff import SetStaff, set_staff
from commands.handler_admin import HandlerAdmin
from commands.orders.import_return import import_return
from commands.outbox.models import DomainEvent
from tests.integration.commands.orders.placed import confirmed, placed
from tests.integration.commands.orders.test_imports import past_return
from tests.integration.commands.shop import events_of, everything, run, stocked

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse"


@pytest.fixture(autouse=True)
def fast_hasher(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def user(email: str, *, staff: bool = False, superuser: bool = False) -> UUID:
    customer = run(register_customer, RegisterCustomer(email=email, password=PASSWORD, name="Somebody")).id
    if staff:
        run(set_staff, SetStaff(customer_id=customer, is_staff=True, is_superuser=superuser))
    return customer


@pytest.fixture
def client() -> Client:
    """Logged in as a superuser, through the login page, with the e-mail in another case."""
    user("boss@acme.test", staff=True, superuser=True)
    return logged_in("Boss@acme.test")


def logged_in(email: str) -> Client:
    client = Client()
    answer = client.post("/admin/login/?next=/admin/", {"username": email, "password": PASSWORD})
    assert answer.status_code == 302, answer.content.decode()
    return client


def page(client: Client, address: str, **parameters: str) -> str:
    answer = client.get(address, parameters)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


def press(client: Client, shown: str, label: str, **data: Any) -> str:
    """Follows the button with that label on a page and sends its form with its own values, changed by ``data``."""
    address = re.search(rf'<a href="([^"]+)">{label}</a>', shown)
    assert address, f"no button {label!r}"
    form = page(client, address[1])
    given = dict(re.findall(r'<input [^>]*name="([^"]+)" [^>]*?value="([^"]*)"', form))
    answer = client.post(address[1], {**given, **data}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def address_of(kind: str, id: UUID) -> str:  # noqa: A002
    return reverse(f"admin:commands_{kind}_change", args=[id])


def test_an_order_is_paid_shipped_and_completed(client: Client) -> None:
    stocked("MUG", price=1250)
    order = placed(("MUG", 2))
    shown = page(client, address_of("order", order.id))
    assert "25.00 GBP" in shown and "Thing MUG" in shown and "Cancel order" in shown
    assert ">Ship<" not in shown and 'name="_save"' not in shown
    shown = press(client, shown, "Record payment", amount="10", reference="till")
    shown = press(client, shown, "Record payment")  # what is left is filled in
    assert ">Confirmed<" in shown and "Record payment</a>" not in shown
    shown = press(client, shown, "Ship", **{"line-1": "1", "tracking": "RM1"})
    assert "1 × MUG" in shown and "partial" in shown and "Cancel order" not in shown
    shown = press(client, shown, "Ship")
    assert ">Completed<" in shown and ">Ship<" not in shown
    happened = [type(event) for event in events_of(order.id)]
    assert happened[1] is OrderPaymentRecorded and happened[-3:] == [
        FulfilmentShipped,
        FulfilmentShipped,
        OrderCompleted,
    ]
    boss = User.objects.get(email="boss@acme.test")
    assert DomainEvent.objects.filter(event_type="OrderCompleted", metadata__actor=f"user:{boss.id}").count() == 1


def test_an_order_is_cancelled(client: Client) -> None:
    stocked("MUG")
    order = confirmed(("MUG", 1))
    shown = press(client, page(client, address_of("order", order.id)), "Cancel order", reason="out of clay")
    assert ">Cancelled<" in shown
    assert isinstance(events_of(order.id)[-1], OrderCancelled)


@pytest.mark.parametrize(
    ("label", "data", "said"),
    [
        ("Record payment", {"amount": "12.51"}, "only 12.50 GBP is left to pay"),
        ("Record payment", {"amount": "0.001"}, "GBP has 2 decimals"),
        ("Record payment", {"amount": "0"}, "more than nothing"),
        ("Record payment", {"amount": "1", "expected_version": "9"}, "version 9 was expected"),
        ("Cancel order", {"reason": ""}, "This field is required"),
    ],
)
def test_what_is_refused_is_said_in_the_form_and_nothing_changes(
    client: Client, label: str, data: dict[str, str], said: str
) -> None:
    stocked("MUG", price=1250)
    shown = page(client, address_of("order", placed(("MUG", 1)).id))
    before = everything()
    refused = press(client, shown, label, **data)
    assert said in refused and "Please correct" in refused
    assert everything() == before


def test_a_profile_and_the_staff_flag(client: Client) -> None:
    ada = user("ada@example.org")
    shown = page(client, address_of("customer", ada))
    shown = press(client, shown, "Change profile", name="Ada L.", country="ie")
    assert "Ada L." in shown and "IE" in shown
    press(client, shown, "Set staff", is_staff="on")
    assert [type(event) for event in events_of(ada)[1:]] == [ProfileChanged, StaffFlagSet]


def test_only_superusers_see_and_use_the_staff_button() -> None:
    user("clerk@acme.test", staff=True)
    ada, clerk = user("ada@example.org"), logged_in("clerk@acme.test")
    shown = page(clerk, address_of("customer", ada))
    assert "Change profile" in shown and "Set staff" not in shown
    before = everything()
    answer = clerk.post(reverse("admin:commands_customer_do_set-staff", args=[ada]), {"is_staff": "on"})
    assert "needs the role superuser" in answer.content.decode()
    assert {name: rows for name, rows in everything().items() if name != "User"} == {
        name: rows for name, rows in before.items() if name != "User"
    }


def test_lists_search_and_look_only(client: Client) -> None:
    stocked("MUG")
    order, ada = placed(("MUG", 1)), user("ada@example.org")
    cart = run(create_cart, CreateCart()).id
    returned = run(import_return, past_return()).id
    assert order.row.number in page(client, "/admin/commands/order/", q=order.row.number)
    assert "ada@example.org" in page(client, "/admin/commands/customer/", q="ada")
    assert "ada@example.org" not in page(client, "/admin/commands/customer/", q="boss")
    assert str(cart) in page(client, "/admin/commands/cart/")
    assert "27.50 GBP" in page(client, address_of("pastreturn", returned))
    assert "guest" in page(client, address_of("cart", cart))
    for kind, id_ in (("order", order.id), ("customer", ada), ("cart", cart), ("pastreturn", returned)):
        assert client.get(f"/admin/commands/{kind}/add/").status_code == 403
        assert client.post(address_of(kind, id_), {"name": "x"}).status_code == 403
        assert client.get(f"/admin/commands/{kind}/{id_}/delete/").status_code == 403
        assert client.get(f"/admin/commands/{kind}/{uuid4()}/do/cancel/").status_code in {302, 404}


def test_nobody_but_staff_gets_in(client: Client) -> None:
    stocked("MUG")
    order = placed(("MUG", 1))
    user("ada@example.org")
    for address in ("/admin/", address_of("order", order.id), f"{address_of('order', order.id)[:-7]}do/cancel/"):
        answer = Client().get(address)
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, "/admin/login/")
    answer = Client().post("/admin/login/", {"username": "ada@example.org", "password": PASSWORD})
    assert answer.status_code == 200 and "staff account" in answer.content.decode()


def test_every_admin_class_of_ours_writes_through_handlers() -> None:
    for model, page_class in admin.site._registry.items():
        if model._meta.app_label == "commands":
            assert isinstance(page_class, HandlerAdmin)
            with pytest.raises(RuntimeError):
                page_class.save_model(None, None, None, None)


def test_nothing_is_shown_under_the_name_of_its_class() -> None:
    shown = [model for model in admin.site._registry if model._meta.app_label == "commands"]
    rows = [inline.model for model in shown for inline in admin.site._registry[model].inlines]
    assert rows and not [model.__name__ for model in (*shown, *rows) if model.__str__ is Model.__str__]
