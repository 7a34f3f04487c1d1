"""Slugs: the readable last part of a page's address, unique among categories and among products.

A slug that somebody chose is taken as it is or refused; one that is derived from a name gets a number when it is taken.
"""

from __future__ import annotations

import itertools
from uuid import UUID

from django.db.models import Q
from slugify import slugify

from acme.errors import Conflict, Invalid
from commands.catalog.locks import hold
from commands.catalog.models import Category, Product

ROOM_FOR_NUMBER = 8  # characters kept free for "-1234567"


def choose_slug(model: type[Category] | type[Product], *, given: str | None, name: str) -> str:
    """The slug of something new: ``given`` (`Conflict` ``slug-taken``, `Invalid`), or one derived from its name."""
    if given is not None:
        check_slug(model, given)
        return given
    return _derive(model, name)


def check_slug(model: type[Category] | type[Product], slug: str) -> None:
    """Raises `Invalid` unless it is written as a slug is, `Conflict` when it is taken."""
    if not slug or len(slug) > _length(model) or slugify(slug, allow_unicode=True) != slug or is_id(slug):
        raise Invalid(
            f"a slug has 1 to {_length(model)} lower-case letters and digits in words joined by single hyphens, "
            "and does not look like an id",
            code="invalid-slug",
            pointer="/slug",
        )
    if model._default_manager.filter(slug=slug).exists():
        raise Conflict(f"the slug {slug} is taken", code="slug-taken", pointer="/slug")


def is_id(slug: str) -> bool:
    """Whether a slug would be read as an id where an address takes either."""
    try:
        UUID(slug)
    except ValueError:
        return False
    return True


def free_slug(base: str, taken: set[str]) -> str:
    """``base``, or with the smallest number from 2 on that is not taken; never what looks like an id."""
    candidates = itertools.chain([base], (f"{base}-{number}" for number in itertools.count(2)))
    return next(slug for slug in candidates if slug not in taken and not is_id(slug))


def _derive(model: type[Category] | type[Product], name: str) -> str:
    base = slugify(name, max_length=_length(model) - ROOM_FOR_NUMBER) or model._meta.model_name or "item"
    hold(f"slug:{model._meta.model_name}:{base}")
    taken = model._default_manager.filter(Q(slug=base) | Q(slug__startswith=f"{base}-")).values_list("slug", flat=True)
    return free_slug(base, set(taken))


def _length(model: type[Category] | type[Product]) -> int:
    return int(model._meta.get_field("slug").max_length)
