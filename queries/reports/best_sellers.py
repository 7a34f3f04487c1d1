"""Best sellers of a range of days, by pieces or by money: sales lines only, what came back is shown beside."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from pymongo.collection import Collection

from queries.documents.connection import live_collection
from queries.documents.products import ProductDocument
from queries.reading import FIND_MS, REPORT_MS, Stored
from queries.reports.sales import COUNTS, days, figures

MEASURES = ("units", "gross")
_NAMES = {"product.name": 1, "product.slug": 1, "product.variants.sku": 1}


@dataclass(frozen=True, kw_only=True)
class BestSellersQuestion:
    """Both days are included. ``by`` is one of `MEASURES`; ties are listed by SKU."""

    first: date
    last: date
    by: str
    limit: int
    currency: str

    def pipeline(self) -> list[Stored]:
        return [
            {"$match": days("product", self.currency, self.first, self.last)},
            {"$group": {"_id": "$key", **{name: {"$sum": f"${name}"} for name in COUNTS}}},
            {"$match": {"units": {"$gt": 0}}},
            {"$sort": {self.by: -1, "_id": 1}},
            {"$limit": self.limit},
        ]


def best_sellers(question: BestSellersQuestion, collection: Collection[Stored]) -> dict[str, Any]:
    """``{"results"}``: SKU, product and figures; the product is null where the catalogue no longer has the SKU."""
    groups = list(collection.aggregate(question.pipeline(), maxTimeMS=REPORT_MS))
    products = _products_by_sku([group["_id"] for group in groups])
    return {
        "results": [
            {"sku": group["_id"], **_named(products.get(group["_id"])), **figures(group, question.currency)}
            for group in groups
        ]
    }


def _products_by_sku(skus: Sequence[str]) -> dict[str, Stored]:
    if not skus:
        return {}
    wanted = {"product.variants.sku": {"$in": sorted(skus)}}
    found = live_collection(ProductDocument.projection).find(wanted, _NAMES, max_time_ms=FIND_MS)
    return {variant["sku"]: document for document in found for variant in document["product"]["variants"]}


def _named(product: Stored | None) -> dict[str, Any]:
    if product is None:
        return {"name": None, "product_id": None, "slug": None}
    section = product["product"]
    return {"name": section["name"], "product_id": product["_id"], "slug": section["slug"]}
