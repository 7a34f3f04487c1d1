"""The slices' admin modules, gathered for Django."""

import commands.carts.admin
import commands.catalog.admin
import commands.customers.admin
import commands.inventory.admin
import commands.orders.admin  # noqa: F401
