"""The slices' admin modules, gathered for Django."""

import commands.carts.admin
import commands.customers.admin
import commands.orders.admin  # noqa: F401
