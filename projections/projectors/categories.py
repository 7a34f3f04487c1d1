"""The categories read model."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from acme.contracts.catalog import CategoryCreated, CategoryMoved, CategoryRenamed
from projections.runtime.projection import Section, on, projection
from queries.documents.categories import CategoryDocument


@projection(
    "categories",
    version=1,
    document=CategoryDocument,
    sections=(Section(aggregate="category", path="category", mirrors_state=True),),
)
class Categories:
    """One document per category; the tree is put together by the query side."""

    @on(CategoryCreated)
    def created(self, category: dict[str, Any], event: CategoryCreated, at: datetime) -> None:
        category.update(name=event.name, slug=event.slug, parent_id=_id(event.parent_id), updated_at=at)

    @on(CategoryRenamed)
    def renamed(self, category: dict[str, Any], event: CategoryRenamed, at: datetime) -> None:
        category.update(name=event.name, slug=event.slug, updated_at=at)

    @on(CategoryMoved)
    def moved(self, category: dict[str, Any], event: CategoryMoved, at: datetime) -> None:
        category.update(parent_id=_id(event.parent_id), updated_at=at)


def _id(value: object) -> str | None:
    return None if value is None else str(value)
