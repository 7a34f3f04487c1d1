"""GET carts/{id}: for its owner alone, a customer or whoever has the guest token."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpResponse
from rest_framework.permissions import AllowAny
from rest_framework.request import Request

from acme.errors import NotFound
from acme.http.authentication import actor_of
from acme.http.parameters import refuse_parameters
from queries.api.answers.carts import PRODUCT_FIELDS, cart_detail
from queries.api.base import QueryViewSet, answer_document
from queries.api.ownership import is_owner
from queries.api.schema import documented
from queries.api.serializers.selling import CartDetail
from queries.documents.carts import CartDocument
from queries.documents.products import ProductDocument
from queries.reading import find_by_ids, find_one


class Carts(QueryViewSet):
    read_models = ("carts", "products")
    permission_classes = [AllowAny]

    @documented(CartDetail, etag=True, guest=True, problems=(404,))
    def retrieve(self, request: Request, id: UUID) -> HttpResponse:  # noqa: A002
        """One's own cart, with prices when added and now. Anybody else's does not exist."""
        refuse_parameters(request)
        document = find_one(CartDocument.projection, {"_id": str(id)})
        if document is None or not is_owner(actor_of(request), document.get("cart")):
            raise NotFound("There is no such cart.")
        section = document["cart"]
        product_ids = [line["product_id"] for line in section.get("lines") or ()]
        products = find_by_ids(ProductDocument.projection, product_ids, PRODUCT_FIELDS)
        return answer_document(request, section["version"], cart_detail(document, products))
