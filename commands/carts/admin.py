"""Admin pages of carts, to look at."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest

from acme.money import decimal_text
from commands.carts.models import Cart, CartLine
from commands.handler_admin import HandlerAdmin, ReadOnlyInline


class CartLineInline(ReadOnlyInline):
    model = CartLine
    fields = ("sku", "name", "quantity", "price")
    readonly_fields = ("price",)

    @admin.display(description="Price when added")
    def price(self, line: CartLine) -> str:
        return f"{decimal_text(line.unit_price_minor, line.currency)} {line.currency}"


@admin.register(Cart)
class CartAdmin(HandlerAdmin):
    """All carts."""

    list_display = ("id", "status", "owner", "line_count", "created_at")
    list_filter = ("status", ("customer_id", admin.EmptyFieldListFilter))
    search_fields = ("=id", "=customer_id", "=order_id")
    search_help_text = "id of the cart, its customer or its order"
    ordering = ("-created_at",)
    fields = ("id", "status", "owner", "order_id", "version", "created_at")
    inlines = (CartLineInline,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Cart]:
        return super().get_queryset(request).annotate(line_count=Count("lines"))

    @admin.display(description="Lines", ordering="line_count")
    def line_count(self, cart: Cart) -> int:
        return int(cart.line_count)  # type: ignore[attr-defined]

    @admin.display(description="Customer")
    def owner(self, cart: Cart) -> str:
        return str(cart.customer_id or "guest")
