"""Categories by their path of names; missing ones are created on the way down."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from acme.identity import Actor
from commands.catalog.create_category import CreateCategory, create_category
from commands.catalog.find import all_categories
from commands.catalog.locks import hold


class CategoryPaths:
    """Good for one transaction. Names are compared without regard to case."""

    def __init__(self, actor: Actor, now: datetime) -> None:
        self.created = 0
        self._actor, self._now = actor, now
        self._held = False
        self._read()

    def _read(self) -> None:
        self._ids = {(each.parent_id, each.name.casefold()): each.id for each in all_categories()}

    def find_or_create(self, path: tuple[str, ...]) -> UUID | None:
        """The id of the last category of the path; None for an empty one."""
        category_id: UUID | None = None
        for name in path:
            category_id = self._child(category_id, name)
        return category_id

    def _child(self, parent_id: UUID | None, name: str) -> UUID:
        key = (parent_id, name.casefold())
        if key not in self._ids and not self._held:
            hold("category-paths")  # two imports at once must not both create it
            self._held = True
            self._read()
        if key not in self._ids:
            command = CreateCategory(name=name, parent_id=parent_id)
            self._ids[key] = create_category(command, actor=self._actor, now=self._now).id
            self.created += 1
        return self._ids[key]
