"""Change a category's name or slug."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from msgspec import UNSET, UnsetType

from acme.contracts.catalog import CategoryRenamed
from acme.identity import Actor, Role
from commands.catalog.create_category import CATEGORY_NAME_LENGTH
from commands.catalog.models import Category
from commands.catalog.slugs import check_slug
from commands.catalog.wording import required_line
from commands.handling import Done, lock, requires
from commands.outbox.record import record


@dataclass(frozen=True, kw_only=True)
class ChangeCategory:
    """What is UNSET stays as it is; a new name leaves the slug alone, so that links go on working."""

    category_id: UUID
    name: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    expected_version: int | None = None


@requires(Role.STAFF)
def change_category(command: ChangeCategory, *, actor: Actor, now: datetime) -> Done:
    """Raises `NotFound`, `StaleVersion`, `Invalid` (name, slug), `Conflict` ``slug-taken``."""
    category = lock(Category, id=command.category_id, expected_version=command.expected_version)
    old_name, old_slug = category.name, category.slug
    if command.name is not UNSET:
        category.name = required_line(command.name, pointer="/name", max_length=CATEGORY_NAME_LENGTH)
    if command.slug is not UNSET and command.slug != old_slug:
        check_slug(Category, command.slug)
        category.slug = command.slug
    if (category.name, category.slug) == (old_name, old_slug):
        return Done(id=category.id, version=category.version, changed=False)
    event = CategoryRenamed(
        category_id=category.id, name=category.name, slug=category.slug, old_name=old_name, old_slug=old_slug
    )
    record(category, event, actor=actor, now=now)
    category.save()
    return Done(id=category.id, version=category.version)
