from __future__ import annotations

import pytest

from commands.catalog.slugs import free_slug, is_id


@pytest.mark.parametrize(
    ("base", "taken", "expected"),
    [
        ("lamp", set(), "lamp"),
        ("lamp", {"lamp-2"}, "lamp"),
        ("lamp", {"lamp"}, "lamp-2"),
        ("lamp", {"lamp", "lamp-2", "lamp-4", "lamp-shade"}, "lamp-3"),
        ("12345678123456781234567812345678", set(), "12345678123456781234567812345678-2"),
    ],
)
def test_the_smallest_number_that_is_free(base: str, taken: set[str], expected: str) -> None:
    assert free_slug(base, taken) == expected


def test_what_looks_like_an_id() -> None:
    assert is_id("0198c2f0-7f3e-7a52-9a3e-0c8f4e1d2b3a")
    assert not is_id("0198c2f0-7f3e-7a52-9a3e-0c8f4e1d2b3a-2")
    assert not is_id("decade")
