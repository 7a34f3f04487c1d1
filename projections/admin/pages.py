"""What the admin pages of this room share: they show documents of MongoDB, and know no table.

Each asks for its permission, bounds the time that it may ask the store for, and says so when it cannot be reached.
Whatever changes something is a POST, and leaves a line in Django's log of the admin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any, cast

import pymongo
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.template.response import TemplateResponse
from django.utils import timezone
from pymongo.errors import PyMongoError

from acme.env import EngineNotConfigured
from queries.documents.connection import database

REACH_SECONDS = 2.0  # until a store that does not answer counts as unreachable
SECONDS = 8.0  # for everything that one page asks of a store that does
REFRESH = 5  # seconds between two looks of a page that follows what happens
View = Callable[..., HttpResponse]


def page(*, change: str | None = None, methods: Iterable[str] = ("GET", "HEAD")) -> Callable[[View], View]:
    """Makes ``view(self, request, store, …)`` a page. ``change``: permission (codename) that it needs besides view."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(self: StorePages, request: HttpRequest, *args: Any, **options: Any) -> HttpResponse:
            if not self.has_view_permission(request) or not (change is None or may(request, change)):
                raise PermissionDenied
            if request.method not in methods:
                return HttpResponseNotAllowed(methods)
            try:
                store = database()
                with pymongo.timeout(REACH_SECONDS):
                    store.command("ping")
                with pymongo.timeout(SECONDS):
                    answer = view(self, request, store, *args, **options)
                    return cast(TemplateResponse, answer).render() if hasattr(answer, "render") else answer
            except (PyMongoError, EngineNotConfigured) as error:
                return self.unreachable(request, error)

        return guarded

    return decorate


def may(request: HttpRequest, change: str) -> bool:
    """Whether the user has a permission of this app."""
    return request.user.has_perm(f"projections.{change}")  # type: ignore[union-attr]


class StorePages(admin.ModelAdmin):
    """Base: the model is there for its permissions only, and nothing of it is added, edited or deleted."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def shown(self, request: HttpRequest, template: str, *, status: int = 200, **context: Any) -> TemplateResponse:
        """A page from ``admin/projections/<template>.html``; ``?follow=1`` keeps it fresh."""
        common = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "now": timezone.now(),
            "zone": timezone.get_current_timezone_name(),
            "refresh": REFRESH if request.GET.get("follow") == "1" else None,
        }
        name = f"admin/projections/{template}.html"
        return TemplateResponse(request, name, {**common, **context}, status=status)

    def unreachable(self, request: HttpRequest, error: Exception) -> HttpResponse:
        """Says which of the two it is: not configured here, or not to be reached just now."""
        configured = not isinstance(error, EngineNotConfigured)
        why = " ".join(str(error).split())[:300]
        return self.shown(request, "unreachable", status=503, title="MongoDB", configured=configured, why=why).render()

    def note(self, request: HttpRequest, thing: Model, message: str) -> None:
        """A line in the admin's log."""
        LogEntry.objects.log_actions(request.user.pk, [thing], CHANGE, message, single_object=True)
