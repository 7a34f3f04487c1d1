"""GET stock: the stock list, for the staff."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.request import Request

from acme.http.parameters import BooleanParameter, IntegerParameter, TextParameter
from queries.api.answers.stock import stock_item
from queries.api.base import QueryViewSet, answer
from queries.api.pagination import paginated
from queries.api.parameters import PageParameters
from queries.api.permissions import IsStaff
from queries.api.schema import documented
from queries.api.serializers.common import page_of
from queries.api.serializers.staff import StockItem
from queries.documents.connection import live_collection
from queries.documents.stock import StockDocument
from queries.paging import Listing, Order
from queries.reading import just_after

DEFAULT_THRESHOLD = 5
BY_SKU = Order(field="item.sku", kind=str)
SCARCEST_FIRST = Order(field="item.available", kind=int)


class StockParameters(PageParameters):
    low = BooleanParameter(required=False, help_text="true: what has at most `threshold` pieces, the scarcest first.")
    threshold = IntegerParameter(
        required=False, min_value=0, max_value=1_000_000, help_text=f"With `low`; {DEFAULT_THRESHOLD} if not given."
    )
    sku = TextParameter(required=False, max_length=100)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "threshold" in attrs and "low" not in attrs:
            raise serializers.ValidationError({"threshold": ["This has a meaning only with `low`."]})
        return attrs


class Stock(QueryViewSet):
    read_models = ("stock",)
    permission_classes = [IsStaff]

    @documented(page_of(StockItem, "StockPage"), parameters=StockParameters, problems=(401, 403))
    def list(self, request: Request) -> HttpResponse:
        """What is on hand, reserved and available of each variant; for the staff."""
        parameters = StockParameters.read(request)
        listing = Listing(
            collection=live_collection(StockDocument.projection),
            query=stock_query(parameters),
            order=SCARCEST_FIRST if "low" in parameters else BY_SKU,
        )
        return answer(paginated(request, listing, parameters, stock_item))


def stock_query(parameters: dict[str, Any]) -> dict[str, Any]:
    """A document without its item section has no SKU, so it never matches."""
    query: dict[str, Any] = {"item.sku": {"$gte": ""}}
    if "sku" in parameters:
        query["item.sku"] = parameters["sku"]
    if "low" in parameters:
        threshold = parameters.get("threshold", DEFAULT_THRESHOLD)
        query["item.available"] = {"$lt": just_after(threshold)} if parameters["low"] else {"$gt": threshold}
    return query
