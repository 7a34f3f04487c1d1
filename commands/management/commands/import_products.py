"""`manage.py import_products`: products from a file; see `commands.importing.run_products`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from commands.importing.command import ImportCommand, Start
from commands.importing.product_rows import FORMATS
from commands.importing.run_products import import_products_file


class Command(ImportCommand):
    help = "Imports products with categories and prices, published; a second run changes nothing."
    batch_help = "products per transaction (default 100)"
    epilog = """formats (told apart by their header):
  livostyle  one variant a product: handle (the SKU), title, category_full_path, price_min_usd; description and vendor
             where there are such columns; HTML entities are unescaped; no stock
  csv        the shop's own template, one row per SKU, columns in any order:
    sku          1 to 100 characters, different case is a different SKU         needed
    name         of the product                                                 needed
    price        decimal, such as 12.99                                         needed
    currency     ISO 4217 code (blank: the shop's)
    description  several lines are fine inside quotes
    brand
    category     path from the top, such as Kitchen > Cookware; created where missing
    variant      what tells this SKU from the product's others, such as "blue, 42"
    variant_of   a SKU of the product that this row adds a variant to (then only sku, variant, price, currency
                 and stock count)
    stock        pieces to receive into the warehouse

example:
  sku,name,price,currency,category,variant,variant_of,stock
  MUG-W,Enamel Mug,12.50,GBP,Kitchen > Mugs,white,,40
  MUG-B,Enamel Mug,12.50,GBP,,blue,MUG-W,25

A SKU that the shop knows is left as it is; one that stands twice in the file counts once, the rest is rejected."""

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--format", choices=list(FORMATS), help="default: what the header shows")

    def run(self, file: Path, rejects: Path, *, batch: int, start: Start, options: dict[str, Any]) -> dict[str, Any]:
        return import_products_file(file, rejects, format_name=options["format"], batch=batch, start=start)

    def sentence(self, summary: dict[str, Any]) -> str:
        return (
            "{products} products and {variants} further variants created in {categories} new categories, {stocked} "
            "of them with stock; {already_there} were there already"
        ).format(**summary)
