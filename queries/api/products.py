"""GET products and products/{id or slug}."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from acme.errors import NotFound
from acme.http.authentication import actor_of
from acme.http.parameters import BooleanParameter, ChoiceParameter, DecimalParameter, TextParameter
from acme.money import minor_units
from queries.api.answers.products import product_detail, product_summary
from queries.api.base import QueryViewSet, answer, answer_document
from queries.api.pagination import paginated
from queries.api.parameters import CurrencyParameters, PageParameters
from queries.api.permissions import require_staff
from queries.api.problems import parameter_invalid
from queries.api.schema import documented
from queries.api.serializers.catalog import ProductDetail, ProductSummary
from queries.api.serializers.common import page_of
from queries.documents.connection import live_collection
from queries.documents.products import ProductDocument
from queries.paging import Listing
from queries.reading import FIND_MS, Stored
from queries.search.analysis import terms
from queries.search.products import SORTS, STATUSES, ProductQuestion

MAX_TERMS = 20
#: A listing shows no descriptions, and nobody sees the analysed words.
_SUMMARY = {"product.description": 0, "product.words": 0}


class ProductParameters(PageParameters, CurrencyParameters):
    category = TextParameter(required=False, max_length=200, help_text="Id or slug; its descendants are included.")
    price_min = DecimalParameter(required=False, min_value=0, help_text="In major units of `currency`, such as 12.99.")
    price_max = DecimalParameter(required=False, min_value=0)
    in_stock = BooleanParameter(required=False)
    q = TextParameter(required=False, max_length=200, help_text="Words that must all occur, in any order.")
    sort = ChoiceParameter(
        SORTS, required=False, default="newest", help_text="By price: only what has a price in `currency`."
    )
    status = ChoiceParameter((*STATUSES, "any"), required=False, help_text="For the staff; else published ones only.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Prices become minor units, the text its terms."""
        errors: dict[str, list[str]] = {}
        for name in ("price_min", "price_max"):
            if name in attrs:
                try:
                    attrs[name] = minor_units(attrs[name], attrs["currency"])
                except ValueError as error:
                    errors[name] = [str(error)]
        attrs["terms"] = terms([attrs.pop("q", None)])
        if "q" in self.initial_data and not attrs["terms"]:
            errors["q"] = ["This has no word in it."]
        if len(attrs["terms"]) > MAX_TERMS:
            errors["q"] = [f"At most {MAX_TERMS} words."]
        if errors:
            raise serializers.ValidationError(errors)
        if attrs.get("price_min", 0) > attrs.get("price_max", attrs.get("price_min", 0)):
            raise serializers.ValidationError({"price_max": ["This is below `price_min`."]})
        return attrs


class Products(QueryViewSet):
    read_models = ("products", "categories")
    permission_classes = [AllowAny]

    @documented(page_of(ProductSummary, "ProductPage"), parameters=ProductParameters, problems=(401, 403))
    def list(self, request: Request) -> HttpResponse:
        """Lists products: what is published; the staff may ask for others."""
        parameters = ProductParameters.read(request)
        if "status" in parameters:
            require_staff(actor_of(request), "The parameter status")
        question = self._question(parameters)
        collection = live_collection(ProductDocument.projection)
        listing = Listing(
            collection=collection,
            query=question.query(),
            order=question.order,
            fields=_SUMMARY,
        )
        currency = parameters["currency"]
        return answer(
            paginated(request, listing, parameters, lambda found: product_summary(found, self.tree, currency))
        )

    def _question(self, parameters: dict[str, Any]) -> ProductQuestion:
        names = ("currency", "status", "price_min", "price_max", "in_stock", "terms", "sort")
        asked = {name: parameters[name] for name in names if name in parameters}
        if "category" in parameters:
            category = self.tree.find(parameters["category"])
            if category is None:
                raise parameter_invalid("category", "There is no such category.", code="unknown")
            asked["category_ids"] = self.tree.descendants(category)
        return ProductQuestion(**asked)

    @documented(ProductDetail, parameters=CurrencyParameters, etag=True, problems=(404,))
    def retrieve(self, request: Request, id: str) -> HttpResponse:  # noqa: A002
        """One product by id or slug. What is not published only the staff sees."""
        currency = CurrencyParameters.read(request)["currency"]
        document = _find(id, anything=actor_of(request).is_staff)
        if document is None:
            raise NotFound("There is no such product.")
        return answer_document(request, document["product"]["version"], product_detail(document, self.tree, currency))


def _find(id_or_slug: str, *, anything: bool) -> Stored | None:
    """By id, else by slug: while a slug moves between products both may show it, then the later change counts."""
    product_id = _as_id(id_or_slug)
    found = _visible({"_id": product_id}, anything) if product_id else []
    found = found or _visible({"product.slug": id_or_slug}, anything)
    return max(found, key=lambda document: document["product"]["updated_at"], default=None)


def _visible(query: dict[str, Any], anything: bool) -> list[Stored]:
    """Published ones, or all whose product section has arrived."""
    collection = live_collection(ProductDocument.projection)
    found = collection.find(query, {"product.words": 0}, max_time_ms=FIND_MS, limit=10)
    statuses = STATUSES if anything else ("published",)
    return [document for document in found if (document.get("product") or {}).get("status") in statuses]


def _as_id(text: str) -> str | None:
    try:
        return str(UUID(text)) if len(text) == 36 else None
    except ValueError:
        return None
