"""Move a category, with all that is below it, under another parent or to the top."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.contracts.catalog import CategoryMoved
from acme.errors import Conflict
from acme.identity import Actor, Role
from commands.catalog.locks import hold
from commands.catalog.models import Category
from commands.catalog.references import check_category
from commands.handling import Done, lock, requires
from commands.outbox.record import record


@dataclass(frozen=True, kw_only=True)
class MoveCategory:
    """``parent_id`` None: to the top."""

    category_id: UUID
    parent_id: UUID | None
    expected_version: int | None = None


@requires(Role.STAFF)
def move_category(command: MoveCategory, *, actor: Actor, now: datetime) -> Done:
    """Raises `NotFound`, `StaleVersion`, `Invalid` (unknown parent), `Conflict` ``category-cycle``."""
    hold("category-tree")  # two moves that are fine one by one can close a circle together
    category = lock(Category, id=command.category_id, expected_version=command.expected_version)
    old_parent_id = category.parent_id
    if command.parent_id == old_parent_id:
        return Done(id=category.id, version=category.version, changed=False)
    check_category(command.parent_id, pointer="/parent_id")
    if _is_within(command.parent_id, category.id):
        raise Conflict("a category cannot be moved below itself", code="category-cycle", pointer="/parent_id")
    category.parent_id = command.parent_id
    event = CategoryMoved(category_id=category.id, parent_id=command.parent_id, old_parent_id=old_parent_id)
    record(category, event, actor=actor, now=now)
    category.save()
    return Done(id=category.id, version=category.version)


def _is_within(category_id: UUID | None, ancestor_id: UUID) -> bool:
    """Whether a category is the other one or somewhere below it."""
    parents = dict(Category.objects.values_list("id", "parent_id"))
    while category_id is not None:
        if category_id == ancestor_id:
            return True
        category_id = parents[category_id]
    return False
