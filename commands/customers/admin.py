"""Admin pages of customers."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group

from acme.identity import Actor, Role
from commands.customers.change_profile import ChangeProfile, change_profile
from commands.customers.models import Customer
from commands.customers.set_staff import SetStaff, set_staff
from commands.handler_admin import AdminCommand, CommandForm, HandlerAdmin
from commands.texts import COUNTRY_LENGTH, NAME_LENGTH

admin.site.unregister(Group)  # roles are two flags of the user; groups would be written past the handlers


class ProfileForm(CommandForm):
    name = forms.CharField(max_length=NAME_LENGTH, required=False)
    country = forms.CharField(max_length=COUNTRY_LENGTH, required=False, help_text="ISO 3166 code, or a name.")

    def prepare(self, aggregate: Customer) -> None:
        self.initial.update(name=aggregate.name, country=aggregate.country)


class StaffForm(CommandForm):
    is_staff = forms.BooleanField(required=False, label="Staff")

    def prepare(self, aggregate: Customer) -> None:
        self.initial["is_staff"] = aggregate.is_staff


def _may_set_staff(customer: Customer, actor: Actor) -> bool:
    return actor.has(Role.SUPERUSER) and customer.user_id is not None and actor.customer_id != customer.id


def _set_staff(customer: Customer, data: dict[str, Any]) -> SetStaff:
    return SetStaff(customer_id=customer.id, **data)


def _change_profile(customer: Customer, data: dict[str, Any]) -> ChangeProfile:
    return ChangeProfile(customer_id=customer.id, **data)


@admin.register(Customer)
class CustomerAdmin(HandlerAdmin):
    """All customers, registered and imported."""

    list_display = ("__str__", "name", "number", "country", "is_staff", "created_at")
    list_filter = ("is_staff", ("user", admin.EmptyFieldListFilter))
    search_fields = ("email", "name", "number", "=id")
    search_help_text = "e-mail, name, number or id"
    ordering = ("-created_at",)
    fields = ("id", "email", "name", "country", "number", "has_login", "is_staff", "version", "created_at")
    commands = (
        AdminCommand(
            name="change-profile",
            label="Change profile",
            form=ProfileForm,
            build=_change_profile,
            handler=change_profile,
        ),
        AdminCommand(
            name="set-staff",
            label="Set staff",
            form=StaffForm,
            build=_set_staff,
            handler=set_staff,
            description="It counts as soon as the user's access token is refreshed, within five minutes.",
            offered=_may_set_staff,
        ),
    )

    @admin.display(boolean=True, description="Can log in")
    def has_login(self, customer: Customer) -> bool:
        return customer.user_id is not None
