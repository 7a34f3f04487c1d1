"""`manage.py create_users`: the staff user and the demo shopper, when they are not there yet."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from acme.env import env
from acme.errors import Invalid
from acme.identity import system
from commands.customers.models import User
from commands.customers.register_customer import RegisterCustomer, register_customer
from commands.customers.set_staff import SetStaff, set_staff
from commands.handling import retrying, unit_of_work

ADMIN = "admin@acme.test"
SHOPPER = "shopper@acme.test"
ACTOR = system("create_users")


class Command(BaseCommand):
    help = (
        f"Creates the superuser {ADMIN} with the password of ACME_ADMIN_PASSWORD or a random one that is printed once, "
        f"and the demo shopper {SHOPPER} with a random one. Who exists stays as they are."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-shopper", action="store_true", help="only the staff user")

    def handle(self, *args: Any, no_shopper: bool = False, **options: Any) -> None:
        self._create(ADMIN, "Shop Admin", env.admin_password, staff=True)
        if not no_shopper:
            self._create(SHOPPER, "Demo Shopper", None, staff=False)

    def _create(self, email: str, name: str, password: str | None, *, staff: bool) -> None:
        if User.objects.filter(email=email).exists():
            self.stdout.write(f"{email} exists already")
            return
        chosen = password or secrets.token_urlsafe(12)
        try:
            retrying(lambda: _register(email, name, chosen, staff=staff))
        except Invalid as error:
            raise CommandError(f"ACME_ADMIN_PASSWORD cannot be used: {error.detail}", returncode=2) from error
        said = "password of ACME_ADMIN_PASSWORD" if password else f"password {chosen} (shown this once)"
        self.stdout.write(f"{email} created, {said}")


def _register(email: str, name: str, password: str, *, staff: bool) -> None:
    """One transaction, through the handlers, so that the log knows the user's customer and staff flag."""
    now = timezone.now()
    with unit_of_work():
        done = register_customer(RegisterCustomer(email=email, password=password, name=name), actor=ACTOR, now=now)
        if staff:
            set_staff(SetStaff(customer_id=done.id, is_staff=True, is_superuser=True), actor=ACTOR, now=now)
