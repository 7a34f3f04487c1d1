"""Every query of the shop: address and view."""

from __future__ import annotations

from acme.http.routes import Route
from queries.api.carts import Carts
from queries.api.categories import Categories
from queries.api.customers import Customers
from queries.api.orders import Orders
from queries.api.products import Products
from queries.api.reports import BestSelling, Sales
from queries.api.stock import Stock

ROUTES: list[Route] = [
    Route("products", "GET", Products.as_view({"get": "list"})),
    Route("products/<str:id>", "GET", Products.as_view({"get": "retrieve"})),
    Route("categories", "GET", Categories.as_view({"get": "list"})),
    Route("categories/<str:id>", "GET", Categories.as_view({"get": "retrieve"})),
    Route("carts/<uuid:id>", "GET", Carts.as_view({"get": "retrieve"})),
    Route("orders", "GET", Orders.as_view({"get": "list"})),
    Route("orders/<uuid:id>", "GET", Orders.as_view({"get": "retrieve"})),
    Route("me", "GET", Customers.as_view({"get": "me"})),
    Route("customers", "GET", Customers.as_view({"get": "list"})),
    Route("customers/<uuid:id>", "GET", Customers.as_view({"get": "retrieve"})),
    Route("stock", "GET", Stock.as_view({"get": "list"})),
    Route("reports/sales", "GET", Sales.as_view({"get": "report"})),
    Route("reports/best-sellers", "GET", BestSelling.as_view({"get": "report"})),
]
