"""GET me, customers/{id} and customers."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from acme.errors import NotFound
from acme.http.authentication import actor_of
from acme.http.parameters import TextParameter, refuse_parameters
from queries.api.answers.customers import customer_for_staff, customer_profile
from queries.api.base import QueryViewSet, answer, answer_document
from queries.api.pagination import paginated
from queries.api.parameters import PageParameters
from queries.api.permissions import IsStaff
from queries.api.schema import documented
from queries.api.serializers.common import page_of
from queries.api.serializers.people import CustomerDetail, Me
from queries.documents.connection import live_collection
from queries.documents.customers import CustomerDocument
from queries.paging import Listing, Order
from queries.reading import Stored, find_one

NEWEST_FIRST = Order(field="customer.registered_at", kind=datetime, descending=True)
_EVER = datetime(1900, 1, 1, tzinfo=UTC)


class CustomerParameters(PageParameters):
    email = TextParameter(required=False, max_length=254, help_text="The whole address, as it is shown.")
    number = TextParameter(required=False, max_length=100)


class Customers(QueryViewSet):
    read_models = ("customers",)

    def get_permissions(self) -> list[Any]:
        return [IsStaff() if self.action == "list" else IsAuthenticated()]

    @documented(page_of(CustomerDetail, "CustomerPage"), parameters=CustomerParameters, problems=(401, 403))
    def list(self, request: Request) -> HttpResponse:
        """All customers with what they have bought, the newest first; for the staff."""
        parameters = CustomerParameters.read(request)
        listing = Listing(
            collection=live_collection(CustomerDocument.projection),
            query=customer_query(parameters),
            order=NEWEST_FIRST,
            fields={"customer": 1, "sales": 1},
        )
        return answer(paginated(request, listing, parameters, customer_for_staff))

    @documented(CustomerDetail, etag=True, problems=(401, 404))
    def retrieve(self, request: Request, id: UUID) -> HttpResponse:  # noqa: A002
        """One customer: oneself, or anybody for the staff, who also see the sales."""
        refuse_parameters(request)
        actor = actor_of(request)
        document = _find(id) if actor.is_staff or actor.customer_id == id else None
        if document is None:
            raise NotFound("There is no such customer.")
        show = customer_for_staff if actor.is_staff else customer_profile
        return answer_document(request, document["customer"]["version"], show(document))

    @documented(Me, etag=True, problems=(401,), operation_id="me_retrieve")
    def me(self, request: Request) -> HttpResponse:
        """Who is asking: user, roles, and the customer, null where there is none (yet)."""
        refuse_parameters(request)
        actor = actor_of(request)
        document = _find(actor.customer_id) if actor.customer_id else None
        data = {
            "user_id": actor.user_id,
            "roles": sorted(actor.roles),
            "customer": customer_profile(document) if document else None,
        }
        return answer_document(request, document["customer"]["version"] if document else 0, data)


def customer_query(parameters: dict[str, Any]) -> dict[str, Any]:
    """A document without its customer section (counters that came first) was never registered, so it never matches."""
    filters = {f"customer.{name}": parameters[name] for name in ("email", "number") if name in parameters}
    return {**filters, "customer.registered_at": {"$gte": _EVER}}


def _find(customer_id: UUID) -> Stored | None:
    document = find_one(CustomerDocument.projection, {"_id": str(customer_id)})
    return document if document and document.get("customer") else None
