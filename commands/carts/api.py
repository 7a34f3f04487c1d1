"""REST writes of carts. They need no access token: guests open theirs with the header Guest-Token."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from acme.http.fields import Integer, StrictSerializer, Text
from acme.http.routes import Route
from acme.identity import Actor
from commands.carts.add_line import AddLine, add_line
from commands.carts.change_line import ChangeLine, change_line
from commands.carts.create_cart import CreateCart, create_cart
from commands.carts.limits import MAX_QUANTITY
from commands.carts.remove_line import RemoveLine, remove_line
from commands.catalog.sku import SKU_LENGTH
from commands.http import CommandView


class NothingBody(StrictSerializer):
    """An empty object."""


class LineBody(StrictSerializer):
    sku = Text(max_length=SKU_LENGTH)
    quantity = Integer(min_value=1, max_value=MAX_QUANTITY)


class CartSkuBody(StrictSerializer):
    sku = Text(max_length=SKU_LENGTH)


class CartCreatedAnswer(serializers.Serializer):
    token = serializers.CharField(required=False, help_text="For guests, answered this once: send it as Guest-Token.")


class CreateCartView(CommandView):
    """Create an empty cart: the customer's own, or a guest's, which the answered token opens."""

    body = NothingBody
    handler = staticmethod(create_cart)
    creates = True
    public = True
    result = CartCreatedAnswer

    def command(self, data: dict[str, Any], *, actor: Actor, expected_version: int | None, **path: Any) -> CreateCart:
        return CreateCart()


class CartView(CommandView):
    """Base of what is done to one cart; the command takes the members of the body under their own names."""

    public = True
    command_class: type[Any]

    def command(self, data: dict[str, Any], *, actor: Actor, expected_version: int | None, **path: Any) -> Any:
        return self.command_class(cart_id=path["id"], expected_version=expected_version, **data)


class AddLineView(CartView):
    """Put pieces of a SKU into the cart; more of what is there already adds up. Up to 100 lines of 9,999 pieces."""

    body = LineBody
    handler = staticmethod(add_line)
    command_class = AddLine


class ChangeLineView(CartView):
    """Set the quantity of a line."""

    body = LineBody
    handler = staticmethod(change_line)
    command_class = ChangeLine


class RemoveLineView(CartView):
    """Take a line out of the cart."""

    body = CartSkuBody
    handler = staticmethod(remove_line)
    command_class = RemoveLine


ROUTES = [
    Route("carts", "POST", CreateCartView),
    Route("carts/<uuid:id>/add-line", "POST", AddLineView),
    Route("carts/<uuid:id>/change-line", "POST", ChangeLineView),
    Route("carts/<uuid:id>/remove-line", "POST", RemoveLineView),
]
