"""The category tree, also while moves and parents are still on their way."""

from __future__ import annotations

from datetime import UTC, datetime

from queries.tree import Category, Tree


def node(category_id: str, parent: str | None = None, *, slug: str | None = None, day: int = 1) -> Category:
    at = datetime(2026, 1, day, tzinfo=UTC)
    return Category(
        id=category_id,
        version=1,
        name=category_id.upper(),
        slug=slug or f"slug-{category_id}",
        parent_id=parent,
        updated_at=at,
    )


def test_descendants_path_and_order() -> None:
    tree = Tree([node("b"), node("a"), node("a2", "a"), node("a1", "a"), node("deep", "a1")])
    assert [category.id for category in tree.children(None)] == ["a", "b"]
    assert [category.id for category in tree.children("a")] == ["a1", "a2"]
    assert set(tree.descendants(tree.by_id["a"])) == {"a", "a1", "a2", "deep"}
    assert [category.id for category in tree.path(tree.by_id["deep"])] == ["a", "a1", "deep"]
    assert tree.find("slug-deep") is tree.find("DEEP") is tree.by_id["deep"]
    assert tree.find("nothing") is None


def test_a_parent_that_has_not_arrived() -> None:
    tree = Tree([node("child", "missing")])
    assert [category.id for category in tree.children(None)] == ["child"]
    assert [category.id for category in tree.path(tree.by_id["child"])] == ["child"]


def test_a_passing_cycle_ends() -> None:
    tree = Tree([node("a", "b"), node("b", "a")])
    assert set(tree.descendants(tree.by_id["a"])) == {"a", "b"}
    assert {category.id for category in tree.path(tree.by_id["a"])} == {"a", "b"}


def test_a_slug_that_moved_belongs_to_the_later_change() -> None:
    tree = Tree([node("new", slug="mugs", day=2), node("old", slug="mugs", day=1)])
    assert tree.find("mugs") is tree.by_id["new"]
