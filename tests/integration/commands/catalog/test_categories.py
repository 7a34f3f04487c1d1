"""create_category, change_category, move_category."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from acme.contracts.catalog import CategoryCreated, CategoryMoved, CategoryRenamed
from acme.errors import Conflict, Invalid, NotFound, StaleVersion
from commands.catalog.change_category import ChangeCategory, change_category
from commands.catalog.create_category import CreateCategory, create_category
from commands.catalog.models import Category
from commands.catalog.move_category import MoveCategory, move_category
from tests.integration.commands.catalog.catalogue import category
from tests.integration.commands.shop import NOW, events_of, refused, run

pytestmark = pytest.mark.django_db


def test_create() -> None:
    parent = category("Home")
    done = run(create_category, CreateCategory(name="  Desk   lamps ", parent_id=parent))
    assert (done.version, done.changed, done.result) == (1, True, {"slug": "desk-lamps"})
    assert events_of(done.id) == [
        CategoryCreated(category_id=done.id, name="Desk lamps", slug="desk-lamps", parent_id=parent)
    ]
    row = Category.objects.get(id=done.id)
    assert (row.name, row.slug, row.parent_id, row.version, row.created_at) == (
        "Desk lamps",
        "desk-lamps",
        parent,
        1,
        NOW,
    )


def test_a_derived_slug_that_is_taken_gets_a_number() -> None:
    slugs = [
        Category.objects.get(id=category(name)).slug for name in ("Lamps", "lamps!", "LAMPS", "Лампы", "!!!", "???")
    ]
    assert slugs == ["lamps", "lamps-2", "lamps-3", "lampy", "category", "category-2"]


@pytest.mark.parametrize(
    "slug", ["", "Lamps", "two words", "a--b", "-a", "a_b", "x" * 141, "0198c2f0-7f3e-7a52-9a3e-0c8f4e1d2b3a"]
)
def test_a_given_slug_must_be_one(slug: str) -> None:
    with refused(Invalid, code="invalid-slug", pointer="/slug"):
        run(create_category, CreateCategory(name="Lamps", slug=slug))


def test_a_given_slug_that_is_taken_is_a_conflict() -> None:
    lamps = category("Lamps")
    other = run(create_category, CreateCategory(name="Lights", slug="日本の光")).id
    with refused(Conflict, code="slug-taken", pointer="/slug"):
        run(create_category, CreateCategory(name="Others", slug="lamps"))
    with refused(Conflict, code="slug-taken", pointer="/slug"):
        run(change_category, ChangeCategory(category_id=other, slug="lamps"))
    assert not run(change_category, ChangeCategory(category_id=lamps, slug="lamps")).changed


@pytest.mark.parametrize("name", ["", "  ", "x" * 121, "a\x00b"])
def test_a_name_is_needed(name: str) -> None:
    with refused(Invalid, pointer="/name"):
        run(create_category, CreateCategory(name=name))


def test_an_unknown_parent_is_refused() -> None:
    lamps = category()
    with refused(Invalid, code="unknown-category", pointer="/parent_id"):
        run(create_category, CreateCategory(name="Lamps", parent_id=uuid4()))
    with refused(Invalid, code="unknown-category", pointer="/parent_id"):
        run(move_category, MoveCategory(category_id=lamps, parent_id=uuid4()))


def test_change_name_and_slug() -> None:
    lamps = category()
    done = run(change_category, ChangeCategory(category_id=lamps, name="Lights", expected_version=1))
    assert done.version == 2
    run(change_category, ChangeCategory(category_id=lamps, slug="lights"))
    assert events_of(lamps)[1:] == [
        CategoryRenamed(category_id=lamps, name="Lights", slug="lamps", old_name="Lamps", old_slug="lamps"),
        CategoryRenamed(category_id=lamps, name="Lights", slug="lights", old_name="Lights", old_slug="lamps"),
    ]
    row = Category.objects.get(id=lamps)
    assert (row.name, row.slug, row.version) == ("Lights", "lights", 3)


def test_changing_nothing_records_nothing() -> None:
    lamps = category()
    for command in (ChangeCategory(category_id=lamps), ChangeCategory(category_id=lamps, name=" Lamps", slug="lamps")):
        done = run(change_category, command)
        assert (done.version, done.changed) == (1, False)
    assert not run(move_category, MoveCategory(category_id=lamps, parent_id=None)).changed
    assert len(events_of(lamps)) == 1


def test_move() -> None:
    home, lamps = category("Home"), category()
    run(move_category, MoveCategory(category_id=lamps, parent_id=home))
    run(move_category, MoveCategory(category_id=lamps, parent_id=None, expected_version=2))
    assert events_of(lamps)[1:] == [
        CategoryMoved(category_id=lamps, parent_id=home, old_parent_id=None),
        CategoryMoved(category_id=lamps, parent_id=None, old_parent_id=home),
    ]
    assert Category.objects.get(id=lamps).version == 3


def test_no_category_comes_below_itself() -> None:
    top = category("A")
    middle = category("B", top)
    bottom = category("C", middle)
    targets: list[UUID] = [top, middle, bottom]
    for target in targets:
        with refused(Conflict, code="category-cycle", pointer="/parent_id"):
            run(move_category, MoveCategory(category_id=top, parent_id=target))
    run(move_category, MoveCategory(category_id=bottom, parent_id=top))
    run(move_category, MoveCategory(category_id=middle, parent_id=bottom))


def test_unknown_ids_and_stale_versions() -> None:
    lamps = category()
    commands = [(change_category, ChangeCategory, {"name": "B"}), (move_category, MoveCategory, {"parent_id": None})]
    for handler, command, members in commands:
        with refused(NotFound):
            run(handler, command(category_id=uuid4(), **members))
        with refused(StaleVersion):
            run(handler, command(category_id=lamps, expected_version=7, **members))
