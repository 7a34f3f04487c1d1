"""The state of one aggregate from the tables: implements `acme.ports.AggregateStates`, for comparison with read models.

The fields have the names and shapes that the read models' sections have; what only a projection knows (search terms,
timelines, when something was last changed) is left out. Ids are text, times RFC 3339 in UTC.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from uuid import UUID

from commands.aggregate import Aggregate
from commands.carts.models import Cart
from commands.carts.state import cart_state
from commands.catalog.models import Category, Product
from commands.catalog.state import category_state, product_state
from commands.customers.models import Customer
from commands.customers.state import customer_state
from commands.inventory.models import StockItem
from commands.inventory.state import stock_item_state
from commands.orders.models import Order, PastReturn
from commands.orders.state import order_state, past_return_state

#: What belongs to a state besides its row, read for many at once.
_PARTS: dict[type[Aggregate], tuple[str, ...]] = {
    Product: ("variants__prices",),
    Cart: ("lines",),
    Order: ("lines", "payments", "fulfilments"),
}
_STATES: dict[type[Aggregate], Callable[[Any], dict[str, Any]]] = {
    Category: category_state,
    Product: product_state,
    StockItem: stock_item_state,
    Customer: customer_state,
    Cart: cart_state,
    Order: order_state,
    PastReturn: past_return_state,
}
_MODELS = {model.aggregate_type: model for model in _STATES}
CHUNK = 2000


class StateTables:
    """Read-only. Every aggregate type of `acme.contracts.topics`; another one raises KeyError."""

    def state(self, aggregate_type: str, aggregate_id: UUID) -> dict[str, Any] | None:
        """``{"version": …, **fields}`` of one aggregate, or None."""
        return self.states(aggregate_type, [aggregate_id]).get(aggregate_id)

    def states(self, aggregate_type: str, aggregate_ids: Iterable[UUID]) -> dict[UUID, dict[str, Any]]:
        """Those of many in a few queries; ids that no table has are left out. Parts are read after their rows, so a
        state may be amid a change: its version is that of the row."""
        model = _MODELS[aggregate_type]
        rows = model._default_manager.filter(id__in=list(aggregate_ids)).prefetch_related(*_PARTS.get(model, ()))
        return {row.id: {"version": row.version, **_STATES[model](row)} for row in rows}

    def ids(self, aggregate_type: str) -> Iterator[UUID]:
        """The ids of all aggregates of a type."""
        return _MODELS[aggregate_type]._default_manager.values_list("id", flat=True).iterator(chunk_size=CHUNK)
