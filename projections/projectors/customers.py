"""The customers read model: the profile, and counters of what the customer has bought."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from acme.contracts.customers import CustomerPersonal, CustomerRegistered, ProfileChanged, StaffFlagSet
from acme.contracts.orders import (
    FulfilmentShipped,
    OrderCancelled,
    OrderCompleted,
    OrderConfirmed,
    OrderImported,
    OrderPaymentRecorded,
    OrderPlaced,
    PastReturnImported,
)
from projections.runtime.projection import Count, Section, counts, from_state, on, projection
from queries.documents.customers import CustomerDocument


@projection(
    "customers",
    version=1,
    document=CustomerDocument,
    sections=(Section(aggregate="customer", path="customer", mirrors_state=True),),
)
class Customers:
    """One document per customer."""

    ignores = (OrderPlaced, OrderPaymentRecorded, FulfilmentShipped, OrderCompleted)

    @on(CustomerRegistered)
    def registered(self, customer: dict[str, Any], event: CustomerRegistered, at: datetime) -> None:
        customer.update(
            number=event.number,
            country=event.country,
            has_login=event.has_login,
            is_staff=False,
            registered_at=at,
            updated_at=at,
        )
        _name(customer, event.personal)

    @on(ProfileChanged)
    def profile_changed(self, customer: dict[str, Any], event: ProfileChanged, at: datetime) -> None:
        customer.update(country=event.country, updated_at=at)
        _name(customer, event.personal)

    @on(StaffFlagSet)
    def staff_flag_set(self, customer: dict[str, Any], event: StaffFlagSet, at: datetime) -> None:
        customer.update(is_staff=event.is_staff, updated_at=at)

    @counts(OrderConfirmed, OrderImported)
    def sale(self, event: OrderConfirmed | OrderImported, at: datetime) -> Iterator[Count]:
        if event.customer_id is not None:
            yield Count(
                document=str(event.customer_id),
                add={"sales.orders": 1, f"sales.gross.{event.total.currency}": event.total.amount_minor},
                lowest={"sales.first_order_at": event.placed_at},
                highest={"sales.last_order_at": event.placed_at},
            )

    @counts(OrderCancelled)
    def sale_taken_away(self, event: OrderCancelled, at: datetime) -> Iterator[Count]:
        if event.customer_id is not None and event.was_confirmed:
            yield Count(
                document=str(event.customer_id),
                add={"sales.orders": -1, f"sales.gross.{event.total.currency}": -event.total.amount_minor},
            )

    @counts(PastReturnImported)
    def returned(self, event: PastReturnImported, at: datetime) -> Iterator[Count]:
        if event.customer_id is not None:
            yield Count(
                document=str(event.customer_id),
                add={f"sales.returned.{event.total.currency}": event.total.amount_minor},
            )

    @from_state("order")
    def of_order(self, order: Mapping[str, Any]) -> Iterator[Count]:
        if order["customer_id"] and order["status"] in {"confirmed", "completed"}:
            gross = f"sales.gross.{order['currency']}"
            yield Count(document=order["customer_id"], add={"sales.orders": 1, gross: order["total_minor"]})

    @from_state("past_return")
    def of_past_return(self, past_return: Mapping[str, Any]) -> Iterator[Count]:
        if past_return["customer_id"]:
            returned = f"sales.returned.{past_return['currency']}"
            yield Count(document=past_return["customer_id"], add={returned: past_return["total_minor"]})


def _name(customer: dict[str, Any], personal: CustomerPersonal | None) -> None:
    """None for both once the customer's key was deleted."""
    customer["email"] = personal.email if personal else None
    customer["name"] = personal.name if personal else None
