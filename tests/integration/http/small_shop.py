"""A small urlconf of real command views over the kernel, for tests of what every command view does.

Its handlers work on real categories, record real events and can be told to wait or to fail.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from acme.api import url_patterns
from acme.contracts.catalog import CategoryCreated, CategoryRenamed
from acme.errors import Conflict
from acme.http.fields import Identifier, StrictSerializer, Text
from acme.http.routes import Route
from acme.identity import Actor, Role
from commands.aggregate import new_id
from commands.catalog.models import Category
from commands.handling import Done, lock, requires
from commands.http import CommandView
from commands.outbox.record import record


@dataclass(frozen=True, kw_only=True)
class MakeCategory:
    name: str


@dataclass(frozen=True, kw_only=True)
class Rename:
    id: UUID
    name: str
    expected_version: int | None = None


class Hooks:
    """What happens inside the handler besides its work; tests set these."""

    calls = 0
    inside: Callable[[], None] | None = None
    lock = threading.Lock()

    @classmethod
    def run(cls) -> None:
        with cls.lock:
            cls.calls += 1
        if cls.inside is not None:
            cls.inside()


def make(command: MakeCategory, *, actor: Actor, now: datetime) -> Done:
    Hooks.run()
    if command.name == "refused":
        raise Conflict("this name is refused", code="refused", pointer="/name")
    category = Category(id=new_id(), name=command.name, slug=str(new_id()), created_at=now)
    event = CategoryCreated(category_id=category.id, name=category.name, slug=category.slug, parent_id=None)
    record(category, event, actor=actor, now=now)
    category.save()
    return Done(id=category.id, version=category.version, result={"slug": category.slug, "at": now})


@requires(Role.STAFF)
def rename(command: Rename, *, actor: Actor, now: datetime) -> Done:
    category = lock(Category, id=command.id, expected_version=command.expected_version)
    event = CategoryRenamed(
        category_id=category.id,
        name=command.name,
        slug=category.slug,
        old_name=category.name,
        old_slug=category.slug,
    )
    category.name = command.name
    record(category, event, actor=actor, now=now)
    category.save()
    return Done(id=category.id, version=category.version)


class NameBody(StrictSerializer):
    name = Text(max_length=100)


class OptionalBody(StrictSerializer):
    name = Text(max_length=100, required=False, default="unnamed")


class ParentBody(StrictSerializer):
    parent_id = Identifier()


class MakeView(CommandView):
    """Makes a category."""

    body = NameBody
    handler = staticmethod(make)
    creates = True
    public = True

    def command(self, data: dict[str, Any], **_: Any) -> MakeCategory:
        return MakeCategory(name=data["name"])


class MakeOnceView(MakeView):
    """Makes a category, with a key only."""

    idempotency_required = True


class MakeUnnamedView(MakeView):
    """Makes a category whose name may be missing."""

    body = OptionalBody


class RenameView(CommandView):
    """Renames a category."""

    body = NameBody
    handler = staticmethod(rename)
    version_required = True

    def command(self, data: dict[str, Any], *, expected_version: int | None, id: UUID, **_: Any) -> Rename:  # noqa: A002
        return Rename(id=id, name=data["name"], expected_version=expected_version)


ROUTES = [
    Route("categories", "POST", MakeView),
    Route("once", "POST", MakeOnceView),
    Route("unnamed", "POST", MakeUnnamedView),
    Route("categories/<uuid:id>", "PATCH", RenameView),
    Route("categories/<uuid:id>/rename", "POST", RenameView),
]
urlpatterns = url_patterns(ROUTES)
handler400 = "acme.http.problems.bad_request"
handler404 = "acme.http.problems.not_found"
handler500 = "acme.http.problems.server_error"
