"""Customers as the tables have them; see `commands.states`."""

from __future__ import annotations

from typing import Any

from commands.customers.models import Customer


def customer_state(customer: Customer) -> dict[str, Any]:
    return {
        "number": customer.number,
        "email": customer.email,
        "name": customer.name,
        "country": customer.country,
        "has_login": customer.user_id is not None,
        "is_staff": customer.is_staff,
    }
