"""Admin pages that only ever write through handlers: an aggregate is shown read-only, and its commands are buttons.

A slice's admin class lists `AdminCommand`s; each is a page with a form, built into a command and carried out by
`handling.execute` as the logged-in user. A `ShopError` is shown at the form's field that its pointer names. The version
that was shown travels with the form, so an older page, or a second click, changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from acme.errors import ShopError
from acme.identity import Actor
from commands.aggregate import Aggregate
from commands.customers.models import User
from commands.customers.roles import actor_of
from commands.handling import Done, execute


class CommandForm(forms.Form):
    """Base of the forms; ``aggregate`` is what the command is about, None for one that creates."""

    expected_version = forms.IntegerField(widget=forms.HiddenInput, required=False)

    def __init__(self, *args: Any, aggregate: Aggregate | None = None, **options: Any) -> None:
        self.aggregate = aggregate
        super().__init__(*args, **options)
        if aggregate is not None:
            self.initial["expected_version"] = aggregate.version
            self.prepare(aggregate)

    def prepare(self, aggregate: Any) -> None:
        """Fills choices and initial values from the aggregate."""


@dataclass(frozen=True, kw_only=True)
class AdminCommand:
    """One button and its page. ``build`` makes the command from the aggregate and the form's cleaned data."""

    name: str
    label: str
    form: type[CommandForm]
    build: Callable[[Any, dict[str, Any]], Any]
    handler: Callable[..., Done]
    description: str = ""
    offered: Callable[[Any, Actor], bool] = lambda aggregate, actor: True


class ReadOnly(admin.options.BaseModelAdmin):
    """Staff may look at everything and edit nothing; nothing is deleted."""

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_staff(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_staff(request)

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ReadOnlyInline(ReadOnly, admin.TabularInline):
    """Rows that belong to an aggregate."""

    extra = 0
    can_delete = False
    show_change_link = False


class HandlerAdmin(ReadOnly, admin.ModelAdmin):
    """Base of the slices' admin classes."""

    commands: ClassVar[tuple[AdminCommand, ...]] = ()
    #: The command that makes a new one, behind a button above the list.
    creates: ClassVar[AdminCommand | None] = None
    actions = None
    show_full_result_count = False
    change_form_template = "admin/commands/aggregate.html"
    change_list_template = "admin/commands/listing.html"

    def get_urls(self) -> list[URLPattern]:
        def page(command: AdminCommand) -> Callable[..., HttpResponse]:
            def view(request: HttpRequest, object_id: str | None = None) -> HttpResponse:
                return self._command_page(request, command, object_id)

            return cast(Callable[..., HttpResponse], self.admin_site.admin_view(view))

        own = [path(f"<path:object_id>/do/{each.name}/", page(each), name=self._url(each)) for each in self.commands]
        if self.creates is not None:
            own.append(path(f"do/{self.creates.name}/", page(self.creates), name=self._url(self.creates)))
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        buttons = []
        aggregate = self.get_object(request, unquote(object_id))
        if aggregate is not None:
            actor = actor_of(cast(User, request.user))
            buttons = [
                {"label": each.label, "url": reverse(f"admin:{self._url(each)}", args=[aggregate.pk])}
                for each in self.commands
                if each.offered(aggregate, actor)
            ]
        context = {"command_buttons": buttons, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = dict(extra_context or {})
        if self.creates is not None:
            context["create_button"] = {"label": self.creates.label, "url": reverse(f"admin:{self._url(self.creates)}")}
        return super().changelist_view(request, context)

    def save_model(self, *args: Any, **options: Any) -> None:
        raise RuntimeError("admin pages write through handlers only")

    delete_model = delete_queryset = save_related = save_model

    def _url(self, command: AdminCommand) -> str:
        return f"{self.opts.app_label}_{self.opts.model_name}_do_{command.name}"

    def _command_page(self, request: HttpRequest, command: AdminCommand, object_id: str | None) -> HttpResponse:
        aggregate = None if object_id is None else self._found(request, object_id)
        form = command.form(request.POST or None, aggregate=aggregate)
        if request.method == "POST" and form.is_valid():
            done = _carried_out(command, form, cast(User, request.user))
            if done is not None:
                messages.success(request, f"{command.label}: done." if done.changed else "It was so already.")
                return HttpResponseRedirect(self._address(done.id))
        context = {
            **self.admin_site.each_context(request),
            "title": command.label,
            "description": command.description,
            "opts": self.opts,
            "original": aggregate,
            "form": form,
            "back_url": self._address(None if aggregate is None else aggregate.pk),
        }
        return TemplateResponse(request, "admin/commands/command.html", context)

    def _found(self, request: HttpRequest, object_id: str) -> Aggregate:
        found = self.get_object(request, unquote(object_id))
        return cast(Aggregate, found or get_object_or_404(self.get_queryset(request).none()))

    def _address(self, aggregate_id: Any) -> str:
        base = f"admin:{self.opts.app_label}_{self.opts.model_name}"
        return reverse(f"{base}_changelist") if aggregate_id is None else reverse(f"{base}_change", args=[aggregate_id])


def _carried_out(command: AdminCommand, form: CommandForm, user: User) -> Done | None:
    """What the handler answered; None when it refused, which the form then says."""
    try:
        wanted = command.build(form.aggregate, form.cleaned_data)
        done, _ = execute(command.handler, wanted, actor=actor_of(user))
    except ShopError as error:
        member = (error.pointer or "").strip("/").partition("/")[0]
        form.add_error(member if member in form.fields else None, error.detail)
        return None
    return done


def _is_staff(request: HttpRequest) -> bool:
    user = request.user
    return bool(user.is_active and getattr(user, "is_staff", False))
