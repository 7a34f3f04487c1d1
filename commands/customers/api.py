"""REST writes of customers. Logging in stands in `tokens_api`, it writes nothing."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET

from acme.http.fields import Boolean, Email, StrictSerializer, Text
from acme.http.routes import Route
from acme.identity import Actor
from commands.customers.change_profile import ChangeProfile, change_profile
from commands.customers.register_customer import PASSWORD_LENGTH, RegisterCustomer, register_customer
from commands.customers.set_staff import SetStaff, set_staff
from commands.customers.tokens_api import LoginView, RefreshView
from commands.http import CommandView
from commands.texts import COUNTRY_LENGTH, NAME_LENGTH


class RegisterBody(StrictSerializer):
    email = Email()
    password = Text(max_length=PASSWORD_LENGTH, trim_whitespace=False)
    name = Text(max_length=NAME_LENGTH)
    country = Text(max_length=COUNTRY_LENGTH, required=False, allow_null=True, help_text="ISO 3166 code, or a name.")


class ChangeProfileBody(StrictSerializer):
    """What is missing stays; null means not known any more."""

    name = Text(max_length=NAME_LENGTH, required=False, allow_null=True)
    country = Text(max_length=COUNTRY_LENGTH, required=False, allow_null=True, help_text="ISO 3166 code, or a name.")


class SetStaffBody(StrictSerializer):
    is_staff = Boolean()


class RegisterView(CommandView):
    """Register as a customer; log in afterwards. An e-mail address that is taken is a 409 ``email-taken``."""

    body = RegisterBody
    handler = staticmethod(register_customer)
    creates = True
    public = True

    def command(
        self, data: dict[str, Any], *, actor: Actor, expected_version: int | None, **path: Any
    ) -> RegisterCustomer:
        return RegisterCustomer(**data)


class ChangeProfileView(CommandView):
    """Change name or country: the customer's own, or any by staff."""

    body = ChangeProfileBody
    handler = staticmethod(change_profile)
    version_required = True

    def command(
        self, data: dict[str, Any], *, actor: Actor, expected_version: int | None, **path: Any
    ) -> ChangeProfile:
        return ChangeProfile(
            customer_id=path["id"],
            name=data.get("name", UNSET),
            country=data.get("country", UNSET),
            expected_version=expected_version,
        )


class SetStaffView(CommandView):
    """Make a customer staff, or take that away. For superusers, and not on themselves."""

    body = SetStaffBody
    handler = staticmethod(set_staff)

    def command(self, data: dict[str, Any], *, actor: Actor, expected_version: int | None, **path: Any) -> SetStaff:
        return SetStaff(customer_id=path["id"], expected_version=expected_version, **data)


ROUTES = [
    Route("auth/login", "POST", LoginView),
    Route("auth/refresh", "POST", RefreshView),
    Route("customers", "POST", RegisterView),
    Route("customers/<uuid:id>", "PATCH", ChangeProfileView),
    Route("customers/<uuid:id>/set-staff", "POST", SetStaffView),
]
