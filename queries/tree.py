"""The category tree: read whole, kept in each process for at most a second, read anew for a consistency token.

A category whose parent has not arrived yet stands at the top. Moves of two categories may arrive in any order, so
every walk ends at a node that it has seen.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from queries.asof import as_of
from queries.documents.categories import CategoryDocument
from queries.documents.connection import live_collection
from queries.reading import FIND_MS, Stored

TREE_SECONDS = 1.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Category:
    """One node; ``version`` is its section's."""

    id: str
    version: int
    name: str
    slug: str
    parent_id: str | None
    updated_at: datetime | None


class Tree:
    """All categories at one moment. ``as_of``: complete up to then; None when that is not known."""

    def __init__(self, categories: list[Category], known_as_of: datetime | None = None) -> None:
        self.as_of = known_as_of
        self.by_id = {category.id: category for category in categories}
        oldest_first = sorted(categories, key=lambda category: category.updated_at or _EPOCH)
        self.by_slug = {category.slug: category for category in oldest_first}
        self._children: dict[str | None, list[Category]] = {}
        for category in sorted(categories, key=lambda category: (category.name.casefold(), category.id)):
            parent = category.parent_id if category.parent_id in self.by_id else None
            self._children.setdefault(parent, []).append(category)

    def find(self, id_or_slug: str) -> Category | None:
        return self.by_id.get(id_or_slug.lower()) or self.by_slug.get(id_or_slug)

    def children(self, category_id: str | None) -> list[Category]:
        """By name; of None: the top ones."""
        return self._children.get(category_id, [])

    def descendants(self, category: Category) -> list[str]:
        """Ids of the category and of all below it."""
        seen: dict[str, None] = {}
        waiting = [category]
        while waiting:
            node = waiting.pop()
            if node.id not in seen:
                seen[node.id] = None
                waiting.extend(self.children(node.id))
        return list(seen)

    def path(self, category: Category) -> list[Category]:
        """From the top down to the category itself."""
        found: list[Category] = []
        node: Category | None = category
        while node is not None and node not in found:
            found.append(node)
            node = self.by_id.get(node.parent_id or "")
        return found[::-1]


_lock = threading.Lock()
_kept: tuple[float, Tree] | None = None


def category_tree(*, fresh: bool = False) -> Tree:
    """The tree as it was at most `TREE_SECONDS` ago, or as it is now."""
    global _kept
    kept = _kept
    if kept is not None and not fresh and time.monotonic() - kept[0] < TREE_SECONDS:
        return kept[1]
    with _lock:
        if not fresh and _kept is not kept and _kept is not None:
            return _kept[1]  # another thread has just read it
        read_at = time.monotonic()
        tree = _read()
        _kept = (read_at, tree)
        return tree


def forget_tree() -> None:
    """For tests that move to another store."""
    global _kept
    _kept = None


def _read() -> Tree:
    """A category whose own section is missing is left out."""
    known_as_of = as_of(CategoryDocument.projection)  # before the categories, so that it never says too much
    found = live_collection(CategoryDocument.projection).find({}, max_time_ms=FIND_MS)
    return Tree(
        [_category(document["_id"], document["category"]) for document in found if document.get("category")],
        known_as_of,
    )


def _category(category_id: str, section: Stored) -> Category:
    return Category(
        id=category_id,
        version=section["version"],
        name=section["name"],
        slug=section["slug"],
        parent_id=section.get("parent_id"),
        updated_at=section.get("updated_at"),
    )
