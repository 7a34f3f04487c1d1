"""Rows of product files."""

from __future__ import annotations

import pytest

from acme.contracts.base import Money
from commands.importing.product_rows import FORMATS, ProductRow, format_of
from commands.importing.rejects import Refused
from commands.importing.source import FileProblem

LIVOSTYLE = {
    "handle": "swiss-dot-blouse",
    "title": "Swiss Dot Blouse: Elegance &amp; Comfort",
    "category_full_path": "Apparel &amp; Accessories > Clothing >  Tops",
    "price_min_usd": "28.9",
    "description": "It&#39;s   light.",
}
OWN = {"sku": "MUG-W", "name": "Enamel Mug", "price": "12.50"}


def own(**changes: str) -> ProductRow:
    return FORMATS["csv"].parse({**OWN, **changes})


def test_livostyle() -> None:
    row = FORMATS["livostyle"].parse(LIVOSTYLE)
    assert (row.sku, row.name, row.price) == (
        "swiss-dot-blouse",
        "Swiss Dot Blouse: Elegance & Comfort",
        Money(2890, "USD"),
    )
    assert row.category == ("Apparel & Accessories", "Clothing", "Tops")
    assert (row.description, row.brand, row.stock) == ("It's   light.", None, 0)


def test_the_template_needs_three_columns() -> None:
    assert own() == ProductRow(sku="MUG-W", name="Enamel Mug", price=Money(1250, "GBP"))


def test_the_whole_template() -> None:
    row = own(
        currency="JPY", price="1200", brand=" Tolland ", category="A>B", variant="blue", variant_of="MUG", stock="25"
    )
    assert (row.price, row.brand, row.category) == (Money(1200, "JPY"), "Tolland", ("A", "B"))
    assert (row.variant, row.variant_of, row.stock) == ("blue", "MUG", 25)
    assert own(variant_of="MUG", name="").sku == "MUG-W"


@pytest.mark.parametrize(
    ("changes", "column"),
    [
        ({"sku": ""}, "sku"),
        ({"sku": "a/b"}, "sku"),
        ({"name": " "}, "name"),
        ({"name": "x" * 301}, "name"),
        ({"price": ""}, "price"),
        ({"price": "-1"}, "price"),
        ({"price": "1.999"}, "price"),
        ({"price": "9" * 20}, "price"),
        ({"currency": "XXY"}, "price"),
        ({"currency": "gbp"}, "price"),
        ({"category": "A > > B"}, "category"),
        ({"category": "A" * 121}, "category"),
        ({"description": "x" * 50_001}, "description"),
        ({"brand": "x" * 121}, "brand"),
        ({"variant": "x" * 301}, "variant"),
        ({"stock": "-1"}, "stock"),
        ({"stock": "1000001"}, "stock"),
        ({"stock": "many"}, "stock"),
    ],
)
def test_refused_rows_name_the_column(changes: dict[str, str], column: str) -> None:
    with pytest.raises(Refused, match=f"^{column}"):
        own(**changes)


def test_the_format_is_seen_from_the_header() -> None:
    assert format_of([*LIVOSTYLE, "other"], None).name == "livostyle"
    assert format_of(list(OWN), None).name == "csv"
    assert format_of([*OWN, *LIVOSTYLE], "csv").name == "csv"
    for header, chosen in ((["a"], None), (list(OWN), "livostyle")):
        with pytest.raises(FileProblem, match="header"):
            format_of(header, chosen)
