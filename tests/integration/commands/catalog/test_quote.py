"""What other slices see of the catalogue."""

from __future__ import annotations

import pytest
from pytest_django import DjangoAssertNumQueries

from acme.contracts.base import Money
from commands.catalog.find import all_categories, known_skus, skus_of
from commands.catalog.quote import quote
from commands.catalog.remove_variant import RemoveVariant, remove_variant
from commands.catalog.set_price import SetPrice, set_price
from tests.integration.commands.catalog.catalogue import category, gbp, product, variant
from tests.integration.commands.shop import run

pytestmark = pytest.mark.django_db


def test_a_quote_says_all_that_a_sale_needs(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    lamps = category()
    lamp = product("Lamp", variant("A", 500, "red"), variant("B", None), variant("C"), publish=True, category_id=lamps)
    product("Draft", variant("D", 100))
    run(set_price, SetPrice(product_id=lamp, sku="A", price=Money(700, "EUR")))
    run(remove_variant, RemoveVariant(product_id=lamp, sku="C"))
    with django_assert_num_queries(1):
        quotes = quote(["A", "B", "C", "D", "a", "A"], "GBP")
    said = {sku: (q.sku, q.name, q.category_id, q.price, q.sellable) for sku, q in quotes.items()}
    assert said == {
        "A": ("A", "Lamp, red", lamps, gbp(500), True),
        "B": ("B", "Lamp", lamps, None, True),
        "C": ("C", "Lamp", lamps, gbp(1299), False),
        "D": ("D", "Draft", None, gbp(100), False),
    }
    assert quotes["A"].product_id == lamp
    assert quote(["A"], "EUR")["A"].price == Money(700, "EUR")
    assert quote([], "GBP") == {}


def test_a_long_name_is_cut() -> None:
    product("x" * 300, variant("A", name="y" * 300))
    assert quote(["A"], "GBP")["A"].name == known_skus(["A"])["A"].name == "x" * 300


def test_finding(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    lamp = product("Lamp", variant("A", name="red"), variant("B"))
    with django_assert_num_queries(1):
        found = known_skus(iter(["A", "B", "X"]))
    assert {sku: (v.product_id, v.name) for sku, v in found.items()} == {"A": (lamp, "Lamp, red"), "B": (lamp, "Lamp")}
    assert skus_of([found["A"].variant_id]) == {found["A"].variant_id: "A"}
    home = category("Home")
    lamps = category("Lamps", home)
    assert {(c.id, c.name, c.slug, c.parent_id) for c in all_categories()} == {
        (home, "Home", "home", None),
        (lamps, "Lamps", "lamps", home),
    }
