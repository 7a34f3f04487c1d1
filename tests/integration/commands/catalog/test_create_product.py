"""create_product: one command, several events of the one product."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from acme.contracts.base import Money
from acme.contracts.catalog import PriceSet, ProductCreated, ProductPublished, VariantAdded
from acme.errors import Conflict, Invalid
from commands.catalog.create_product import CreateProduct, create_product
from commands.catalog.models import Price, Product, Variant
from commands.catalog.remove_variant import RemoveVariant, remove_variant
from commands.catalog.variants import NewVariant
from tests.integration.commands.catalog.catalogue import category, gbp, product, variant
from tests.integration.commands.shop import NOW, events_of, refused, run

pytestmark = pytest.mark.django_db


def test_with_variants_prices_category_and_publication() -> None:
    lamps = category()
    command = CreateProduct(
        name="Desk lamp",
        description="Bright.\nAnd\tlight.",
        brand=" Lumen ",
        category_id=lamps,
        variants=(variant("L-1", 1299, "red"), variant("L-2", None), NewVariant(sku="l-1", price=Money(0, "JPY"))),
        publish=True,
    )
    done = run(create_product, command)
    ids = {entry["sku"]: UUID(entry["variant_id"]) for entry in done.result["variants"]}
    assert list(ids) == ["L-1", "L-2", "l-1"]
    assert (done.version, done.result["slug"]) == (7, "desk-lamp")
    of = {"product_id": done.id}
    assert events_of(done.id) == [
        ProductCreated(
            **of,
            name="Desk lamp",
            slug="desk-lamp",
            description="Bright.\nAnd light.",
            brand="Lumen",
            category_id=lamps,
        ),
        VariantAdded(**of, variant_id=ids["L-1"], sku="L-1", name="red"),
        PriceSet(**of, variant_id=ids["L-1"], sku="L-1", price=gbp(1299), old_price=None),
        VariantAdded(**of, variant_id=ids["L-2"], sku="L-2", name=""),
        VariantAdded(**of, variant_id=ids["l-1"], sku="l-1", name=""),
        PriceSet(**of, variant_id=ids["l-1"], sku="l-1", price=Money(0, "JPY"), old_price=None),
        ProductPublished(**of),
    ]
    row = Product.objects.get(id=done.id)
    assert (row.name, row.brand, row.status, row.version, row.created_at) == ("Desk lamp", "Lumen", "published", 7, NOW)
    assert set(Variant.objects.values_list("sku", "removed")) == {("L-1", False), ("L-2", False), ("l-1", False)}
    assert set(Price.objects.values_list("variant__sku", "currency", "amount_minor")) == {
        ("L-1", "GBP", 1299),
        ("l-1", "JPY", 0),
    }


def test_a_bare_draft() -> None:
    done = run(create_product, CreateProduct(name="Thing"))
    assert (done.version, done.result) == (1, {"slug": "thing", "variants": []})
    row = Product.objects.get(id=done.id)
    assert (row.status, row.brand, row.category_id, row.version) == ("draft", None, None, 1)


def test_slugs() -> None:
    assert [run(create_product, CreateProduct(name="Lamp")).result["slug"] for _ in range(3)] == [
        "lamp",
        "lamp-2",
        "lamp-3",
    ]
    long = [run(create_product, CreateProduct(name="x" * 300)).result["slug"] for _ in range(2)]
    assert long == ["x" * 300, "x" * 300 + "-2"]
    assert run(create_product, CreateProduct(name="¡!")).result["slug"] == "product"
    with refused(Conflict, code="slug-taken", pointer="/slug"):
        run(create_product, CreateProduct(name="Another", slug="lamp"))


@pytest.mark.parametrize("variants", [(), (variant("L-1", None),)])
def test_what_nobody_could_buy_is_not_published(variants: tuple[NewVariant, ...]) -> None:
    with refused(Conflict, code="not-sellable"):
        run(create_product, CreateProduct(name="Lamp", variants=variants, publish=True))


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"name": " "}, "/name"),
        ({"name": "x" * 301}, "/name"),
        ({"brand": "x" * 121}, "/brand"),
        ({"description": "x" * 50_001}, "/description"),
        ({"slug": "No slug"}, "/slug"),
        ({"category_id": uuid4()}, "/category_id"),
        ({"variants": (variant("L-1"), variant("a/b"))}, "/variants/1/sku"),
        ({"variants": (variant("L-1"), variant("L-1"))}, "/variants/1/sku"),
        ({"variants": (variant("L-1", -1),)}, "/variants/0/price/amount_minor"),
        ({"variants": (NewVariant(sku="L-1", price=Money(1, "ABC")),)}, "/variants/0/price/currency"),
        ({"variants": (variant("L-1", name="x" * 301),)}, "/variants/0/name"),
    ],
)
def test_bad_input_names_the_member(members: dict, pointer: str) -> None:
    with refused(Invalid, pointer=pointer):
        run(create_product, CreateProduct(**{"name": "Lamp", **members}))


def test_a_sku_is_taken_for_ever() -> None:
    first = product("Lamp", variant("L-1"), variant("L-2"))
    run(remove_variant, RemoveVariant(product_id=first, sku="L-1"))
    with refused(Conflict, code="sku-taken", pointer="/variants/1/sku"):
        run(create_product, CreateProduct(name="Other", variants=(variant("L-3"), variant("L-1"))))
