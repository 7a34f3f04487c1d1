"""Register a customer who can log in: the user and the customer in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from acme.contracts.customers import CustomerPersonal, CustomerRegistered
from acme.errors import Conflict, Invalid
from acme.identity import Actor
from commands.customers.models import Customer, User
from commands.handling import Done
from commands.outbox.record import record
from commands.texts import clean_country, clean_email, clean_name

PASSWORD_LENGTH = 128  # characters; hashing takes longer for longer ones


@dataclass(frozen=True, kw_only=True)
class RegisterCustomer:
    email: str
    password: str = field(repr=False)
    name: str | None = None
    country: str | None = None


def register_customer(command: RegisterCustomer, *, actor: Actor, now: datetime) -> Done:
    """Anybody may. Raises `Invalid` (e-mail, password), `Conflict` ``email-taken``."""
    email = clean_email(command.email)
    if email is None:
        raise Invalid("an e-mail address is needed", code="required", pointer="/email")
    name, country = clean_name(command.name), clean_country(command.country)
    if User.objects.filter(email=email).exists():
        raise _taken()
    _check_password(command.password, User(email=email))
    try:
        with transaction.atomic():
            user = User.objects.create_user(email, command.password)
    except IntegrityError as error:  # somebody registered it since we looked
        raise _taken() from error
    customer = Customer(user=user, email=email, name=name, country=country, created_at=now)
    record(
        customer,
        CustomerRegistered(
            customer_id=customer.id,
            number=None,
            country=country,
            has_login=True,
            personal=CustomerPersonal(email=email, name=name),
        ),
        actor=actor,
        now=now,
    )
    customer.save(force_insert=True)
    return Done(id=customer.id, version=customer.version)


def _check_password(password: str, user: User) -> None:
    if len(password) > PASSWORD_LENGTH:
        raise Invalid(f"at most {PASSWORD_LENGTH} characters", code="too-long", pointer="/password")
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise Invalid(" ".join(error.messages), code="weak-password", pointer="/password") from error


def _taken() -> Conflict:
    return Conflict("a customer with this e-mail address exists", code="email-taken", pointer="/email")
