"""All event types in one place: importing this module declares every one of them."""

from acme.contracts import carts, catalog, customers, inventory, orders
from acme.contracts.base import EVENTS

__all__ = ["EVENTS", "carts", "catalog", "customers", "inventory", "orders"]
