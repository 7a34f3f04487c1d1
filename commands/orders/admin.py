"""Admin pages of orders: cancel, record a payment, ship; and imported returns, to look at."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from acme.contracts.base import Money
from acme.errors import Invalid
from acme.identity import Actor
from acme.money import decimal_text, minor_units
from commands.handler_admin import AdminCommand, CommandForm, HandlerAdmin, ReadOnlyInline
from commands.orders.cancel_order import REASON_LENGTH, CancelOrder, cancel_order
from commands.orders.derived import fulfilment_status, payment_status
from commands.orders.items import Item
from commands.orders.models import Fulfilment, Order, OrderLine, OrderPayment, PastReturn
from commands.orders.pay_order import REFERENCE_LENGTH, PayOrder, pay_order
from commands.orders.ship_order import TRACKING_LENGTH, ShipOrder, ship_order

S = Order.Status


def money_text(amount_minor: int, currency: str) -> str:
    """ "12.99 GBP"."""
    return f"{decimal_text(amount_minor, currency)} {currency}"


class CancelForm(CommandForm):
    reason = forms.CharField(max_length=REASON_LENGTH)


class PayForm(CommandForm):
    amount = forms.DecimalField(max_digits=16)
    reference = forms.CharField(max_length=REFERENCE_LENGTH, required=False)

    def prepare(self, aggregate: Order) -> None:
        left = decimal_text(aggregate.total_minor - aggregate.paid_minor, aggregate.currency)
        self.initial["amount"] = left
        self.fields["amount"].label = f"Amount in {aggregate.currency}"
        self.fields["amount"].help_text = f"{left} is left to pay."


class ShipForm(CommandForm):
    """One number per line that has something left, filled with all of it."""

    tracking = forms.CharField(max_length=TRACKING_LENGTH, required=False)

    def prepare(self, aggregate: Order) -> None:
        for line in aggregate.lines.all():
            left = line.quantity - line.shipped
            if left:
                self.fields[f"line-{line.line}"] = forms.IntegerField(
                    label=f"{line.sku} {line.name}", min_value=0, max_value=left, initial=left, help_text=f"{left} left"
                )


def _cancel(order: Order, data: dict[str, Any]) -> CancelOrder:
    return CancelOrder(order_id=order.id, **data)


def _pay(order: Order, data: dict[str, Any]) -> PayOrder:
    amount: Decimal = data.pop("amount")
    try:
        minor = minor_units(amount, order.currency)
    except ValueError as error:
        raise Invalid(str(error), pointer="/amount") from error
    return PayOrder(order_id=order.id, amount=Money(minor, order.currency), **data)


def _ship(order: Order, data: dict[str, Any]) -> ShipOrder:
    asked = ((line.sku, data.get(f"line-{line.line}")) for line in order.lines.all())
    items = tuple(Item(sku=sku, quantity=quantity) for sku, quantity in asked if quantity)
    return ShipOrder(
        order_id=order.id, lines=items, tracking=data["tracking"], expected_version=data["expected_version"]
    )


def _can_be_cancelled(order: Order, actor: Actor) -> bool:
    return order.status in {S.PLACED, S.CONFIRMED} and not order.lines.filter(shipped__gt=0).exists()


class LineInline(ReadOnlyInline):
    model = OrderLine
    fields = ("line", "sku", "name", "quantity", "shipped", "price", "amount")
    readonly_fields = ("price", "amount")

    @admin.display(description="Unit price")
    def price(self, line: OrderLine) -> str:
        return decimal_text(line.unit_price_minor, line.order.currency)

    @admin.display
    def amount(self, line: OrderLine) -> str:
        return decimal_text(line.amount_minor, line.order.currency)


class PaymentInline(ReadOnlyInline):
    model = OrderPayment
    fields = ("taken_at", "amount", "provider", "reference")
    readonly_fields = ("amount",)

    @admin.display
    def amount(self, payment: OrderPayment) -> str:
        return money_text(payment.amount_minor, payment.order.currency)


class FulfilmentInline(ReadOnlyInline):
    model = Fulfilment
    fields = ("shipped_at", "tracking", "contents")
    readonly_fields = ("contents",)

    @admin.display
    def contents(self, parcel: Fulfilment) -> SafeString:
        return format_html_join(", ", "{} × {}", ((line["quantity"], line["sku"]) for line in parcel.lines))


@admin.register(Order)
class OrderAdmin(HandlerAdmin):
    """All orders, placed here and imported."""

    list_display = ("number", "status", "placed_at", "total", "payment", "email", "country", "source")
    list_filter = ("status", "source", "placed_at")
    search_fields = ("=number", "email", "name", "=id", "=customer_id")
    search_help_text = "number, e-mail, name, id, or id of the customer"
    ordering = ("-placed_at", "-id")
    date_hierarchy = "placed_at"
    fieldsets = (
        (None, {"fields": ("number", "status", "placed_at", "total", "paid", "payment", "fulfilment")}),
        ("Whose", {"fields": ("customer_id", "email", "name", "country")}),
        ("Where it comes from", {"fields": ("source", "cart_id", "id", "version", "created_at")}),
    )
    inlines = (LineInline, PaymentInline, FulfilmentInline)
    commands = (
        AdminCommand(
            name="pay",
            label="Record payment",
            form=PayForm,
            build=_pay,
            handler=pay_order,
            description="Full payment confirms the order.",
            offered=lambda order, actor: order.status == S.PLACED,
        ),
        AdminCommand(
            name="ship",
            label="Ship",
            form=ShipForm,
            build=_ship,
            handler=ship_order,
            description="One parcel. When everything has left, the order is completed.",
            offered=lambda order, actor: order.status == S.CONFIRMED,
        ),
        AdminCommand(
            name="cancel",
            label="Cancel order",
            form=CancelForm,
            build=_cancel,
            handler=cancel_order,
            description="Its stock is released. Money that was taken is not given back by this.",
            offered=_can_be_cancelled,
        ),
    )

    @admin.display(ordering="total_minor")
    def total(self, order: Order) -> str:
        return money_text(order.total_minor, order.currency)

    @admin.display
    def paid(self, order: Order) -> str:
        return money_text(order.paid_minor, order.currency)

    @admin.display
    def payment(self, order: Order) -> str:
        return payment_status(paid_minor=order.paid_minor, total_minor=order.total_minor)

    @admin.display
    def fulfilment(self, order: Order) -> str:
        return fulfilment_status(order.lines.values_list("quantity", "shipped"))


@admin.register(PastReturn)
class PastReturnAdmin(HandlerAdmin):
    """Returns imported from another system."""

    list_display = ("number", "source", "returned_at", "total", "country")
    list_filter = ("source",)
    search_fields = ("=number", "=customer_id")
    ordering = ("-returned_at",)
    fields = ("number", "source", "returned_at", "total", "contents", "customer_id", "country", "id", "version")

    @admin.display(ordering="total_minor")
    def total(self, past_return: PastReturn) -> str:
        return money_text(past_return.total_minor, past_return.currency)

    @admin.display
    def contents(self, past_return: PastReturn) -> SafeString:
        rows = ((line["quantity"], line["sku"], line["name"]) for line in past_return.lines)
        return format_html("<ul>{}</ul>", format_html_join("", "<li>{} × {} {}</li>", rows))
