"""From the parameters of a product listing to the query and the sort."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from queries.paging import Order
from queries.reading import just_after

STATUSES = ("draft", "published", "archived")
SORTS = ("newest", "name", "-name", "price", "-price")


@dataclass(frozen=True, kw_only=True)
class ProductQuestion:
    """What is asked; prices in minor units of ``currency``, ``category_ids`` with all descendants."""

    currency: str
    status: str = "published"
    category_ids: Sequence[str] | None = None
    price_min: int | None = None
    price_max: int | None = None
    in_stock: bool | None = None
    terms: Sequence[str] = ()
    sort: str = "newest"

    @property
    def order(self) -> Order[Any]:
        descending = self.sort.startswith("-")
        match self.sort.lstrip("-"):
            case "name":
                return Order(field="product.name", kind=str, descending=descending)
            case "price":
                return Order(field=f"product.price_min.{self.currency}", kind=int, descending=descending)
            case _:
                return Order(field="product.created_at", kind=datetime, descending=True)

    def query(self) -> dict[str, Any]:
        """For the products collection. A document without its product section has no status, so it never matches."""
        found: dict[str, Any] = {
            "product.status": {"$in": list(STATUSES)} if self.status == "any" else self.status,
            **self._prices(),
        }
        if self.category_ids is not None:
            ids = sorted(self.category_ids)
            found["product.category_id"] = {"$in": ids} if len(ids) > 1 else ids[0]
        if self.in_stock is not None:
            found["in_stock"] = True if self.in_stock else {"$ne": True}
        if self.terms:
            found["product.words"] = {"$all": list(self.terms)}
        return found

    def _prices(self) -> dict[str, Any]:
        """A product is in the range when one of its variants is; sorted by price, it must have one in the currency."""
        lowest, highest = f"product.price_min.{self.currency}", f"product.price_max.{self.currency}"
        found: dict[str, Any] = {}
        if self.price_max is not None:
            found[lowest] = {"$lt": just_after(self.price_max)}
        if self.price_min is not None:
            found[highest] = {"$gte": self.price_min}
        if self.price_min is not None and self.price_max is not None:
            price = {"$gte": self.price_min, "$lte": self.price_max}
            found["product.variants"] = {"$elemMatch": {f"prices.{self.currency}": price}}
        if self.sort.endswith("price"):
            found.setdefault(lowest, {}).setdefault("$gte", 0)
        return found
