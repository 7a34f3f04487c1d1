"""The products read model: catalogue and stock of a product in one document."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from acme.contracts.catalog import (
    PriceSet,
    ProductArchived,
    ProductCategorised,
    ProductCreated,
    ProductDetailsChanged,
    ProductPublished,
    ProductUnpublished,
    VariantAdded,
    VariantRemoved,
)
from acme.contracts.inventory import (
    ReservationReleased,
    StockAdjusted,
    StockEvent,
    StockReceived,
    StockReserved,
    StockShipped,
)
from projections.runtime.projection import Section, on, projection
from queries.documents.products import ProductDocument
from queries.search.analysis import terms

#: By `$map` and not by the path "$product.variants.variant_id", which SecantusDB reads as an empty list.
_VARIANT_IDS = {
    "$map": {"input": {"$ifNull": ["$product.variants", []]}, "as": "variant", "in": "$$variant.variant_id"}
}
#: Pieces that can be bought: the stock of the variants that the product still has. Computed by the store, because
#: catalogue and stock arrive in any order.
_AVAILABLE = {
    "$sum": {
        "$map": {
            "input": {"$objectToArray": {"$ifNull": ["$stock", {}]}},
            "as": "item",
            "in": {
                "$cond": [
                    {"$in": ["$$item.k", _VARIANT_IDS]},
                    "$$item.v.available",
                    0,
                ]
            },
        }
    }
}


def _recompute(document: dict[str, Any]) -> None:
    """`computed`, in memory."""
    mine = {variant["variant_id"] for variant in document.get("product", {}).get("variants", ())}
    stock = document.get("stock", {})
    document["available"] = sum(item["available"] for key, item in stock.items() if key in mine)
    document["in_stock"] = document["available"] > 0


@projection(
    "products",
    version=1,
    document=ProductDocument,
    sections=(
        Section(aggregate="product", path="product", mirrors_state=True),
        Section(aggregate="stock_item", path="stock.{variant_id}", key="{product_id}"),
    ),
    recompute=_recompute,
    computed=({"$set": {"available": _AVAILABLE}}, {"$set": {"in_stock": {"$gt": ["$available", 0]}}}),
)
class Products:
    """One document per product, as shoppers list, filter and read it."""

    @on(ProductCreated)
    def created(self, product: dict[str, Any], event: ProductCreated, at: datetime) -> None:
        product.update(
            name=event.name,
            slug=event.slug,
            description=event.description,
            brand=event.brand,
            category_id=str(event.category_id) if event.category_id else None,
            status="draft",
            variants=[],
            price_min={},
            price_max={},
            created_at=at,
        )
        _analyse(product, at)

    @on(ProductDetailsChanged)
    def details_changed(self, product: dict[str, Any], event: ProductDetailsChanged, at: datetime) -> None:
        product.update(name=event.name, slug=event.slug, description=event.description, brand=event.brand)
        _analyse(product, at)

    @on(ProductCategorised)
    def categorised(self, product: dict[str, Any], event: ProductCategorised, at: datetime) -> None:
        product["category_id"] = str(event.category_id) if event.category_id else None
        product["updated_at"] = at

    @on(VariantAdded)
    def variant_added(self, product: dict[str, Any], event: VariantAdded, at: datetime) -> None:
        product["variants"].append(
            {"variant_id": str(event.variant_id), "sku": event.sku, "name": event.name, "prices": {}}
        )
        _analyse(product, at)

    @on(VariantRemoved)
    def variant_removed(self, product: dict[str, Any], event: VariantRemoved, at: datetime) -> None:
        gone = str(event.variant_id)
        product["variants"] = [v for v in product["variants"] if v["variant_id"] != gone]
        _price_range(product)
        _analyse(product, at)

    @on(PriceSet)
    def price_set(self, product: dict[str, Any], event: PriceSet, at: datetime) -> None:
        variant = next(v for v in product["variants"] if v["variant_id"] == str(event.variant_id))
        variant["prices"][event.price.currency] = event.price.amount_minor
        _price_range(product)
        product["updated_at"] = at

    @on(ProductPublished)
    def published(self, product: dict[str, Any], event: ProductPublished, at: datetime) -> None:
        product.update(status="published", updated_at=at)

    @on(ProductUnpublished)
    def unpublished(self, product: dict[str, Any], event: ProductUnpublished, at: datetime) -> None:
        product.update(status="draft", updated_at=at)

    @on(ProductArchived)
    def archived(self, product: dict[str, Any], event: ProductArchived, at: datetime) -> None:
        product.update(status="archived", updated_at=at)

    @on(StockReceived, StockAdjusted, StockReserved, ReservationReleased, StockShipped)
    def stock_changed(self, stock: dict[str, Any], event: StockEvent, at: datetime) -> None:
        stock.update(
            sku=event.sku,
            on_hand=event.on_hand,
            reserved=event.reserved,
            available=event.on_hand - event.reserved,
            updated_at=at,
        )


def _analyse(product: dict[str, Any], at: datetime) -> None:
    skus = [variant["sku"] for variant in product["variants"]]
    names = [variant["name"] for variant in product["variants"]]
    product["words"] = terms([product["name"], product["brand"], *skus, *names, product["description"]])
    product["updated_at"] = at


def _price_range(product: dict[str, Any]) -> None:
    amounts: dict[str, list[int]] = {}
    for variant in product["variants"]:
        for currency, amount in variant["prices"].items():
            amounts.setdefault(currency, []).append(amount)
    product["price_min"] = {currency: min(found) for currency, found in sorted(amounts.items())}
    product["price_max"] = {currency: max(found) for currency, found in sorted(amounts.items())}
