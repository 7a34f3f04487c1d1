"""The slices' models, gathered for Django."""

from commands.carts.models import Cart, CartLine
from commands.catalog.models import Category, Price, Product, Variant
from commands.customers.models import Customer, User
from commands.inventory.models import Reservation, StockItem, StockMovement
from commands.orders.models import Fulfilment, Order, OrderLine, OrderPayment, PastReturn
from commands.outbox.models import DataSubjectKey, DomainEvent, IdempotentRequest, LogEpoch, StreamHead

__all__ = [
    "Cart",
    "CartLine",
    "Category",
    "Customer",
    "DataSubjectKey",
    "DomainEvent",
    "Fulfilment",
    "IdempotentRequest",
    "LogEpoch",
    "Order",
    "OrderLine",
    "OrderPayment",
    "PastReturn",
    "Price",
    "Product",
    "Reservation",
    "StockItem",
    "StockMovement",
    "StreamHead",
    "User",
    "Variant",
]
