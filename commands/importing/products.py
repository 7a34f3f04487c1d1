"""Rows of a product file become products with category, price and stock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from acme.errors import Invalid
from acme.identity import system
from commands.catalog.add_variant import AddVariant, add_variant
from commands.catalog.create_product import CreateProduct, create_product
from commands.catalog.find import known_skus
from commands.catalog.variants import NewVariant
from commands.importing.category_paths import CategoryPaths
from commands.importing.product_rows import ProductRow
from commands.inventory.receive_stock import ReceiveStock, receive_stock

ACTOR = system("import_products")


@dataclass(frozen=True, kw_only=True, slots=True)
class FileRow:
    """A row that counts, and where it stands in the file, in case it has to be refused after all."""

    line: int
    fields: list[str]
    product: ProductRow


@dataclass(kw_only=True)
class Created:
    """How many of each a run has made, and how many SKUs were there already."""

    products: int = 0
    variants: int = 0
    categories: int = 0
    stocked: int = 0
    already_there: int = 0

    def add(self, other: Created) -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


def import_rows(rows: Sequence[FileRow], now: datetime) -> Created:
    """The work of one batch inside its transaction. Raises `acme.errors.ShopError` where a row cannot be had."""
    done = Created()
    mentioned = {sku for row in rows for sku in (row.product.sku, row.product.variant_of) if sku}
    products = {sku: found.product_id for sku, found in known_skus(mentioned).items()}
    paths = CategoryPaths(ACTOR, now)
    for row in rows:
        product = row.product
        if product.sku in products:
            done.already_there += 1
            continue
        if product.variant_of is None:
            products[product.sku] = _create(product, paths, now)
            done.products += 1
        else:
            products[product.sku] = _add_variant(product, products, now)
            done.variants += 1
        if product.stock:
            command = ReceiveStock(sku=product.sku, quantity=product.stock, reference="import_products")
            receive_stock(command, actor=ACTOR, now=now)
            done.stocked += 1
    done.categories = paths.created
    return done


def _create(row: ProductRow, paths: CategoryPaths, now: datetime) -> UUID:
    command = CreateProduct(
        name=row.name,
        description=row.description,
        brand=row.brand,
        category_id=paths.find_or_create(row.category),
        variants=(NewVariant(sku=row.sku, name=row.variant, price=row.price),),
        publish=True,
    )
    return create_product(command, actor=ACTOR, now=now).id


def _add_variant(row: ProductRow, products: Mapping[str, UUID], now: datetime) -> UUID:
    product_id = products.get(row.variant_of or "")
    if product_id is None:
        raise Invalid(f"variant_of: there is no SKU {row.variant_of}, here or in an earlier row")
    command = AddVariant(product_id=product_id, sku=row.sku, name=row.variant, price=row.price)
    return add_variant(command, actor=ACTOR, now=now).id
