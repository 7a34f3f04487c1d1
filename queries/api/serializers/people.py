"""Customers, and who is asking."""

from __future__ import annotations

from rest_framework import serializers

from acme.identity import Role
from queries.api.serializers.common import MoneyShape


class CustomerProfile(serializers.Serializer):
    id = serializers.UUIDField()
    version = serializers.IntegerField()
    number = serializers.CharField(allow_null=True)
    email = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    country = serializers.CharField(allow_null=True)
    has_login = serializers.BooleanField(allow_null=True)
    is_staff = serializers.BooleanField(allow_null=True)
    registered_at = serializers.DateTimeField(allow_null=True)
    updated_at = serializers.DateTimeField(allow_null=True)


class CustomerSales(serializers.Serializer):
    orders = serializers.IntegerField()
    gross = MoneyShape(many=True, help_text="One per currency.")
    returned = MoneyShape(many=True)
    net = MoneyShape(many=True)
    first_order_at = serializers.DateTimeField(allow_null=True)
    last_order_at = serializers.DateTimeField(allow_null=True)


class CustomerDetail(CustomerProfile):
    sales = CustomerSales(required=False, help_text="For the staff only.")


class Me(serializers.Serializer):
    user_id = serializers.UUIDField(allow_null=True)
    roles = serializers.ListField(child=serializers.ChoiceField([role.value for role in Role]))
    customer = CustomerProfile(allow_null=True)
