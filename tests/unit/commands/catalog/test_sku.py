from __future__ import annotations

import pytest

from acme.errors import Invalid
from commands.catalog.sku import check_sku


@pytest.mark.parametrize(
    "sku", ["85123A", "15056bl", "15056BL", "gift_0001_80", "A B", "日本-1", "x" * 100, "..a", "#?%"]
)
def test_a_sku(sku: str) -> None:
    check_sku(sku)


@pytest.mark.parametrize(
    "sku", ["", "x" * 101, " A", "A ", "A/B", "A\nB", "A\x00", "\u200b", "A\u00a0B", "\ud800", ".", "..", "   "]
)
def test_not_a_sku(sku: str) -> None:
    with pytest.raises(Invalid) as caught:
        check_sku(sku, pointer="/variants/3/sku")
    assert (caught.value.code, caught.value.pointer) == ("invalid-sku", "/variants/3/sku")
