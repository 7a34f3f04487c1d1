"""`manage.py seed_demo`: fills an empty shop; see `commands.demo`."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from commands.demo.seed import is_empty, seed
from commands.importing.failures import clear_failures
from commands.importing.progress import progress


class Command(BaseCommand):
    help = (
        "Fills an empty shop with made-up products, stock, customers, carts and orders of the last eight weeks, always "
        "the same ones; does nothing when the shop has products, categories or orders. Exit codes: 0 done; 3 "
        "PostgreSQL cannot be reached."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        with clear_failures():
            if not is_empty():
                self.stdout.write("the shop is not empty: no demo data was added")
                return
            with progress() as start:
                made = seed(timezone.now(), start)
        self.stdout.write("{products} products, {customers} customers, {orders} orders, {carts} carts".format(**made))
