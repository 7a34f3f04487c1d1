"""change_product, categorise_product, add_variant, remove_variant, set_price."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from acme.contracts.base import Money
from acme.contracts.catalog import PriceSet, ProductCategorised, ProductDetailsChanged, VariantAdded, VariantRemoved
from acme.errors import Conflict, Invalid, NotFound, StaleVersion
from commands.catalog.add_variant import AddVariant, add_variant
from commands.catalog.archive_product import ArchiveProduct, archive_product
from commands.catalog.categorise_product import CategoriseProduct, categorise_product
from commands.catalog.change_product import ChangeProduct, change_product
from commands.catalog.models import Price, Product, Variant
from commands.catalog.remove_variant import RemoveVariant, remove_variant
from commands.catalog.set_price import SetPrice, set_price
from tests.integration.commands.catalog.catalogue import category, gbp, product, variant
from tests.integration.commands.shop import events_of, refused, run

pytestmark = pytest.mark.django_db

CREATED = 3  # version of a product with one variant and its price


def test_change_details() -> None:
    lamp = product()
    done = run(change_product, ChangeProduct(product_id=lamp, name="Lamp", description="New", brand="B", slug="a-lamp"))
    assert done.version == CREATED + 1
    run(change_product, ChangeProduct(product_id=lamp, brand=None, expected_version=CREATED + 1))
    of = {"product_id": lamp, "name": "Lamp", "slug": "a-lamp", "description": "New"}
    assert events_of(lamp)[CREATED:] == [
        ProductDetailsChanged(**of, brand="B"),
        ProductDetailsChanged(**of, brand=None),
    ]
    row = Product.objects.get(id=lamp)
    assert (row.name, row.slug, row.description, row.brand) == ("Lamp", "a-lamp", "New", None)


def test_changing_nothing_records_nothing() -> None:
    lamps = category()
    lamp = product(category_id=lamps)
    for handler, command in [
        (change_product, ChangeProduct(product_id=lamp)),
        (
            change_product,
            ChangeProduct(product_id=lamp, name="Desk  lamp ", slug="desk-lamp", brand="", description=" "),
        ),
        (categorise_product, CategoriseProduct(product_id=lamp, category_id=lamps)),
        (set_price, SetPrice(product_id=lamp, sku="LAMP-1", price=gbp(1299))),
    ]:
        done = run(handler, command)
        assert (done.version, done.changed) == (CREATED, False)
    assert len(events_of(lamp)) == CREATED


def test_a_slug_that_is_taken() -> None:
    product("Other", variant("O-1"))
    lamp = product()
    with refused(Conflict, code="slug-taken", pointer="/slug"):
        run(change_product, ChangeProduct(product_id=lamp, slug="other"))


def test_categorise() -> None:
    lamp, lamps = product(), category()
    run(categorise_product, CategoriseProduct(product_id=lamp, category_id=lamps))
    run(categorise_product, CategoriseProduct(product_id=lamp, category_id=None))
    assert events_of(lamp)[CREATED:] == [
        ProductCategorised(product_id=lamp, category_id=lamps, old_category_id=None),
        ProductCategorised(product_id=lamp, category_id=None, old_category_id=lamps),
    ]
    with refused(Invalid, code="unknown-category", pointer="/category_id"):
        run(categorise_product, CategoriseProduct(product_id=lamp, category_id=uuid4()))


def test_add_variant() -> None:
    lamp = product()
    done = run(add_variant, AddVariant(product_id=lamp, sku="LAMP-2", name=" blue ", price=gbp(5)))
    added = UUID(done.result["variant_id"])
    assert done.version == CREATED + 2
    assert events_of(lamp)[CREATED:] == [
        VariantAdded(product_id=lamp, variant_id=added, sku="LAMP-2", name="blue"),
        PriceSet(product_id=lamp, variant_id=added, sku="LAMP-2", price=gbp(5), old_price=None),
    ]
    assert Product.objects.get(id=lamp).version == CREATED + 2
    with refused(Conflict, code="sku-taken", pointer="/sku"):
        run(add_variant, AddVariant(product_id=lamp, sku="LAMP-2"))
    with refused(Invalid, pointer="/price/amount_minor"):
        run(add_variant, AddVariant(product_id=lamp, sku="LAMP-3", price=gbp(-5)))


def test_remove_variant() -> None:
    lamp = product("Lamp", variant("A"), variant("B"))
    before = len(events_of(lamp))
    removed = Variant.objects.get(sku="A")
    done = run(remove_variant, RemoveVariant(product_id=lamp, sku="A"))
    assert events_of(lamp)[before:] == [VariantRemoved(product_id=lamp, variant_id=removed.id, sku="A")]
    assert Variant.objects.get(sku="A").removed
    again = run(remove_variant, RemoveVariant(product_id=lamp, sku="A"))
    assert (again.version, again.changed) == (done.version, False)
    with refused(Conflict, code="variant-removed", pointer="/sku"):
        run(set_price, SetPrice(product_id=lamp, sku="A", price=gbp(1)))


def test_a_published_product_keeps_a_variant_with_a_price() -> None:
    lamp = product("Lamp", variant("A"), variant("B", None), publish=True)
    with refused(Conflict, code="not-sellable", pointer="/sku"):
        run(remove_variant, RemoveVariant(product_id=lamp, sku="A"))
    run(set_price, SetPrice(product_id=lamp, sku="B", price=gbp(1)))
    run(remove_variant, RemoveVariant(product_id=lamp, sku="A"))


def test_set_price() -> None:
    lamp = product()
    id_ = Variant.objects.get(sku="LAMP-1").id
    run(set_price, SetPrice(product_id=lamp, sku="LAMP-1", price=gbp(999)))
    run(set_price, SetPrice(product_id=lamp, sku="LAMP-1", price=Money(1100, "EUR")))
    of = {"product_id": lamp, "variant_id": id_, "sku": "LAMP-1"}
    assert events_of(lamp)[CREATED:] == [
        PriceSet(**of, price=gbp(999), old_price=gbp(1299)),
        PriceSet(**of, price=Money(1100, "EUR"), old_price=None),
    ]
    assert set(Price.objects.values_list("currency", "amount_minor")) == {("GBP", 999), ("EUR", 1100)}
    with refused(Invalid, pointer="/price/currency"):
        run(set_price, SetPrice(product_id=lamp, sku="LAMP-1", price=Money(1, "QQQ")))


def test_a_sku_of_another_product_is_not_found() -> None:
    lamp, _other = product(), product("Other", variant("O-1"))
    for handler, command in [
        (set_price, SetPrice(product_id=lamp, sku="O-1", price=gbp(1))),
        (remove_variant, RemoveVariant(product_id=lamp, sku="O-1")),
        (remove_variant, RemoveVariant(product_id=lamp, sku="lamp-1")),
    ]:
        with refused(NotFound, pointer="/sku"):
            run(handler, command)


CHANGES = [
    (change_product, ChangeProduct, {"name": "New"}),
    (categorise_product, CategoriseProduct, {"category_id": None}),
    (add_variant, AddVariant, {"sku": "NEW"}),
    (remove_variant, RemoveVariant, {"sku": "LAMP-1"}),
    (set_price, SetPrice, {"sku": "LAMP-1", "price": gbp(1)}),
]


@pytest.mark.parametrize(("handler", "command", "members"), CHANGES)
def test_archived_unknown_or_stale(handler, command, members) -> None:
    lamp = product()
    with refused(NotFound):
        run(handler, command(product_id=uuid4(), **members))
    with refused(StaleVersion):
        run(handler, command(product_id=lamp, expected_version=CREATED + 1, **members))
    run(archive_product, ArchiveProduct(product_id=lamp))
    with refused(Conflict, code="wrong-state"):
        run(handler, command(product_id=lamp, **members))
