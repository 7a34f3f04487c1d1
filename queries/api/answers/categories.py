"""Categories: as links, as a tree, as one with its surroundings."""

from __future__ import annotations

from typing import Any

from queries.tree import Category, Tree


def category_link(category: Category) -> dict[str, Any]:
    return {"id": category.id, "name": category.name, "slug": category.slug}


def category_trees(tree: Tree) -> list[dict[str, Any]]:
    """The top categories, each with all that is below it."""
    return [_with_children(category, tree) for category in tree.children(None)]


def category_detail(category: Category, tree: Tree) -> dict[str, Any]:
    """One category with the way down to it and its children."""
    return {
        **_node(category),
        "path": [category_link(node) for node in tree.path(category)],
        "children": [category_link(child) for child in tree.children(category.id)],
        "updated_at": category.updated_at,
    }


def _node(category: Category) -> dict[str, Any]:
    return {**category_link(category), "version": category.version, "parent_id": category.parent_id}


def _with_children(category: Category, tree: Tree) -> dict[str, Any]:
    return {**_node(category), "children": [_with_children(child, tree) for child in tree.children(category.id)]}
