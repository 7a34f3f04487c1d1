"""Admin pages of the stock: what there is, for whom it is held, and every movement."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from commands.handler_admin import AdminCommand, CommandForm, HandlerAdmin, ReadOnlyInline
from commands.inventory.adjust_stock import REASON_LENGTH, AdjustStock, adjust_stock
from commands.inventory.models import Reservation, StockItem, StockMovement
from commands.inventory.movements import MOST_MOVED
from commands.inventory.receive_stock import REFERENCE_LENGTH, ReceiveStock, receive_stock


class ReceiveForm(CommandForm):
    quantity = forms.IntegerField(min_value=1, max_value=MOST_MOVED)
    reference = forms.CharField(max_length=REFERENCE_LENGTH, required=False, help_text="Delivery note or the like.")


class FirstReceiptForm(ReceiveForm):
    sku = forms.CharField(label="SKU", strip=False)
    field_order = ("sku", "quantity", "reference")


class AdjustForm(CommandForm):
    quantity_change = forms.IntegerField(
        min_value=-MOST_MOVED, max_value=MOST_MOVED, help_text="Pieces more, or fewer with a minus."
    )
    reason = forms.CharField(max_length=REASON_LENGTH)


class Availability(admin.SimpleListFilter):
    """Whether pieces are left to sell."""

    title = "availability"
    parameter_name = "availability"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("yes", "Available"), ("no", "Nothing available"), ("reserved", "Partly reserved")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[StockItem]) -> QuerySet[StockItem]:
        chosen = {"yes": {"left__gt": 0}, "no": {"left": 0}, "reserved": {"reserved__gt": 0}}
        return queryset.filter(**chosen.get(self.value() or "", {}))


class ReservationInline(ReadOnlyInline):
    model = Reservation
    fields = ("order_id", "quantity")


@admin.register(StockItem)
class StockItemAdmin(HandlerAdmin):
    """One line per SKU in the warehouse."""

    list_display = ("sku", "on_hand", "reserved", "left_to_sell")
    list_filter = (Availability,)
    search_fields = ("sku", "=product_id", "=id")
    search_help_text = "SKU, id of the product, or id"
    ordering = ("sku",)
    fields = ("sku", "on_hand", "reserved", "left_to_sell", "product", "ledger", "id", "version", "created_at")
    inlines = (ReservationInline,)
    creates = AdminCommand(
        name="receive-first",
        label="Receive stock",
        form=FirstReceiptForm,
        build=lambda _, data: ReceiveStock(**{**data, "expected_version": None}),
        handler=receive_stock,
        description="Of any SKU of the catalogue, whether it has been in stock before or not.",
    )
    commands = (
        AdminCommand(
            name="receive",
            label="Receive",
            form=ReceiveForm,
            build=lambda item, data: ReceiveStock(sku=item.sku, **data),
            handler=receive_stock,
        ),
        AdminCommand(
            name="adjust",
            label="Adjust",
            form=AdjustForm,
            build=lambda item, data: AdjustStock(sku=item.sku, **data),
            handler=adjust_stock,
            description="After a count, a loss or a find; never below what is reserved.",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[StockItem]:
        return super().get_queryset(request).annotate(left=F("on_hand") - F("reserved"))

    @admin.display(description="Available", ordering="left")
    def left_to_sell(self, item: StockItem) -> int:
        return item.available

    @admin.display
    def product(self, item: StockItem) -> SafeString:
        return format_html('<a href="{}">Open</a>', reverse("admin:commands_product_change", args=[item.product_id]))

    @admin.display
    def ledger(self, item: StockItem) -> SafeString:
        address = reverse("admin:commands_stockmovement_changelist")
        return format_html('<a href="{}?item__id__exact={}">All movements</a>', address, item.id)


@admin.register(StockMovement)
class StockMovementAdmin(HandlerAdmin):
    """The ledger: what came, went, was held or given back, with the levels afterwards."""

    list_display = ("occurred_at", "item", "kind", "quantity", "on_hand", "reserved", "remark")
    list_select_related = ("item",)
    list_filter = ("kind", "occurred_at")
    search_fields = ("=item__sku", "note")
    search_help_text = "SKU as written, or words of the note"
    ordering = ("-id",)

    @admin.display(description="Note", ordering="note")
    def remark(self, movement: StockMovement) -> SafeString:
        """In one line, however narrow the window: most are the id of an order."""
        return format_html('<span style="white-space: nowrap">{}</span>', movement.note)

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup == "item__id__exact" or super().lookup_allowed(lookup, value, request)
