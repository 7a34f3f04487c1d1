"""Create a category, at the top of the tree or below another one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.catalog import CategoryCreated
from acme.identity import Actor, Role
from commands.catalog.models import Category
from commands.catalog.references import check_category
from commands.catalog.slugs import choose_slug
from commands.catalog.wording import required_line
from commands.handling import Done, requires
from commands.outbox.record import record

CATEGORY_NAME_LENGTH = 120


@dataclass(frozen=True, kw_only=True)
class CreateCategory:
    """Without a slug one is derived from the name."""

    name: str
    slug: str | None = None
    parent_id: UUID | None = None


@requires(Role.STAFF)
def create_category(command: CreateCategory, *, actor: Actor, now: datetime) -> Done:
    """Raises `Invalid` (name, slug, unknown parent), `Conflict` ``slug-taken``. Result: ``slug``."""
    name = required_line(command.name, pointer="/name", max_length=CATEGORY_NAME_LENGTH)
    check_category(command.parent_id, pointer="/parent_id")
    slug = choose_slug(Category, given=command.slug, name=name)
    category = Category(name=name, slug=slug, parent_id=command.parent_id, created_at=now)
    event = CategoryCreated(category_id=category.id, name=name, slug=slug, parent_id=command.parent_id)
    record(category, event, actor=actor, now=now)
    category.save(force_insert=True)
    return Done(id=category.id, version=category.version, result={"slug": slug})
