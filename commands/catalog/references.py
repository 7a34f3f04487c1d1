"""Checks of ids that a command names beside its own aggregate."""

from __future__ import annotations

from uuid import UUID

from acme.errors import Invalid
from commands.catalog.models import Category


def check_category(category_id: UUID | None, *, pointer: str) -> None:
    """Raises `Invalid` when there is no such category; None is fine."""
    if category_id is not None and not Category.objects.filter(id=category_id).exists():
        raise Invalid(f"there is no category {category_id}", code="unknown-category", pointer=pointer)
