"""Events of customers. Names and e-mails stand in ``personal``; credentials are in no event at all."""

from __future__ import annotations

from uuid import UUID

import msgspec

from acme.contracts.base import Event, event


class CustomerPersonal(msgspec.Struct, frozen=True, kw_only=True):
    """What may be erased: None where it was never given."""

    email: str | None = None
    name: str | None = None


class CustomerEvent(Event, frozen=True, kw_only=True):
    customer_id: UUID

    def data_subject(self) -> str:
        return f"customer:{self.customer_id}"


@event("customer", id_field="customer_id")
class CustomerRegistered(CustomerEvent, frozen=True, kw_only=True):
    """``number`` is the customer's number in a system it was imported from; ``country`` an ISO 3166 code or a name."""

    number: str | None
    country: str | None
    has_login: bool
    personal: CustomerPersonal | None = None


@event("customer", id_field="customer_id")
class ProfileChanged(CustomerEvent, frozen=True, kw_only=True):
    """Carries the whole profile, changed or not."""

    country: str | None
    old_country: str | None
    personal: CustomerPersonal | None = None


@event("customer", id_field="customer_id")
class StaffFlagSet(CustomerEvent, frozen=True, kw_only=True):
    is_staff: bool
