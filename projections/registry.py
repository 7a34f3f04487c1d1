"""All projections: importing this module declares every one of them, the built-in `positions` too."""

from projections.projectors import carts, categories, customers, orders, products, sales_by_day, stock
from projections.runtime import positions
from projections.runtime.projection import PROJECTIONS

__all__ = [
    "PROJECTIONS",
    "carts",
    "categories",
    "customers",
    "orders",
    "positions",
    "products",
    "sales_by_day",
    "stock",
]
