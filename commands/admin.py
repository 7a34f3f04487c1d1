"""The slices' admin modules, gathered for Django."""

from django.contrib import admin

import commands.carts.admin
import commands.catalog.admin
import commands.customers.admin
import commands.inventory.admin
import commands.orders.admin  # noqa: F401

admin.site.site_header = admin.site.site_title = "ACME shop"
admin.site.index_title = "What is in the shop"
