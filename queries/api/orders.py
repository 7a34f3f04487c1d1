"""GET orders and orders/{id}: one's own; the staff sees all."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework import serializers
from rest_framework.permissions import AllowAny, IsAuthenticated
from rest_framework.request import Request

from acme.errors import NotFound
from acme.http.authentication import actor_of
from acme.http.parameters import ChoiceParameter, DateParameter, IdentifierParameter, refuse_parameters
from acme.identity import Actor
from queries.api.answers.orders import SUMMARY_FIELDS, order_detail, order_summary
from queries.api.base import QueryViewSet, answer, answer_document
from queries.api.ownership import is_owner
from queries.api.pagination import paginated
from queries.api.parameters import PageParameters
from queries.api.permissions import require_staff
from queries.api.schema import documented
from queries.api.serializers.common import page_of
from queries.api.serializers.selling import ORDER_STATUSES, OrderDetail, OrderSummary
from queries.documents.connection import live_collection
from queries.documents.orders import OrderDocument
from queries.moments import day_begins, day_ends
from queries.paging import Listing, Order
from queries.reading import find_one

NEWEST_FIRST = Order(field="order.placed_at", kind=datetime, descending=True)


#: No order is placed outside of these days, and every time zone can express them.
FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2999, 12, 31)


class OrderParameters(PageParameters):
    status = ChoiceParameter(ORDER_STATUSES, required=False)
    placed_from = DateParameter(required=False, help_text="First day on which it was placed.")
    placed_to = DateParameter(required=False, help_text="Last day, included.")
    customer = IdentifierParameter(required=False, help_text="Customer id; for the staff.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        first, last = attrs.get("placed_from"), attrs.get("placed_to")
        for name, day in (("placed_from", first), ("placed_to", last)):
            if day and not FIRST_DAY <= day <= LAST_DAY:
                raise serializers.ValidationError({name: [f"From {FIRST_DAY} to {LAST_DAY}."]}, code="range")
        if first and last and last < first:
            raise serializers.ValidationError({"placed_to": ["This is before `placed_from`."]}, code="reversed")
        return attrs


class Orders(QueryViewSet):
    read_models = ("orders",)

    def get_permissions(self) -> list[Any]:
        """A single order opens to a guest token too."""
        return [IsAuthenticated() if self.action == "list" else AllowAny()]

    @documented(page_of(OrderSummary, "OrderPage"), parameters=OrderParameters, problems=(401, 403))
    def list(self, request: Request) -> HttpResponse:
        """One's own orders, or all for the staff; the newest first."""
        parameters = OrderParameters.read(request)
        listing = Listing(
            collection=live_collection(OrderDocument.projection),
            query=order_query(parameters, actor_of(request)),
            order=NEWEST_FIRST,
            fields=SUMMARY_FIELDS,
        )
        return answer(paginated(request, listing, parameters, order_summary))

    @documented(OrderDetail, etag=True, guest=True, problems=(404,))
    def retrieve(self, request: Request, id: UUID) -> HttpResponse:  # noqa: A002
        """One order with its whole history, for its customer, the guest with its token, or the staff."""
        refuse_parameters(request)
        document = find_one(OrderDocument.projection, {"_id": str(id)})
        section = (document or {}).get("order")
        actor = actor_of(request)
        if document is None or not section or not (actor.is_staff or is_owner(actor, section)):
            raise NotFound("There is no such order.")
        return answer_document(request, section["version"], order_detail(document))


def order_query(parameters: dict[str, Any], actor: Actor) -> dict[str, Any]:
    """The filter for an actor: of a customer always their own id. Raises `Forbidden`."""
    query: dict[str, Any] = {}
    if "customer" in parameters:
        require_staff(actor, "The parameter customer")
        query["order.customer_id"] = str(parameters["customer"])
    elif not actor.is_staff:
        query["order.customer_id"] = str(actor.customer_id)
    if "status" in parameters:
        query["order.status"] = parameters["status"]
    placed = {"$gte": day_begins(parameters.get("placed_from", FIRST_DAY))}
    if "placed_to" in parameters:
        placed["$lt"] = day_ends(parameters["placed_to"])
    query["order.placed_at"] = placed
    return query
