"""One row of a product file, in either of two formats: the Livostyle catalogue and the shop's own CSV template."""

from __future__ import annotations

import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from acme.contracts.base import Money
from acme.env import env
from acme.errors import Invalid
from acme.money import minor_units
from commands.catalog.create_category import CATEGORY_NAME_LENGTH
from commands.catalog.create_product import BRAND_LENGTH, PRODUCT_NAME_LENGTH
from commands.catalog.prices import check_price
from commands.catalog.sku import check_sku
from commands.catalog.variants import VARIANT_NAME_LENGTH
from commands.catalog.wording import clean_description, clean_line, required_line
from commands.importing.rejects import Refused
from commands.importing.source import FileProblem
from commands.importing.values import decimal_number, whole_number
from commands.inventory.movements import MOST_MOVED

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class ProductRow:
    """A product with one variant, or (``variant_of``: a SKU of it) one more variant of a product."""

    sku: str
    name: str
    price: Money
    description: str = ""
    brand: str | None = None
    category: tuple[str, ...] = ()
    variant: str = ""
    variant_of: str | None = None
    stock: int = 0


@dataclass(frozen=True, kw_only=True)
class Format:
    """``required``: the columns by which it is told from others."""

    name: str
    required: tuple[str, ...]
    parse: Callable[[Mapping[str, str]], ProductRow]


def _livostyle(row: Mapping[str, str]) -> ProductRow:
    """Titles and descriptions may have HTML entities; there are neither variants nor stock numbers."""
    plain = {name: html.unescape(text) for name, text in row.items()}
    return ProductRow(
        sku=_sku(plain["handle"], "handle"),
        name=_checked("title", lambda: required_line(plain["title"], pointer="", max_length=PRODUCT_NAME_LENGTH)),
        price=_price(plain["price_min_usd"], "USD", "price_min_usd"),
        description=_checked("description", lambda: clean_description(plain.get("description", ""))),
        brand=_line(plain, "vendor", BRAND_LENGTH),
        category=_path(plain["category_full_path"], "category_full_path"),
    )


def _template(row: Mapping[str, str]) -> ProductRow:
    """Everything but sku, name and price may be blank or missing; a variant of another row needs no name."""
    variant_of = row.get("variant_of", "").strip() or None
    currency = row.get("currency", "").strip() or env.currency
    name = row["name"] or row["sku"] if variant_of else row["name"]
    return ProductRow(
        sku=_sku(row["sku"], "sku"),
        name=_checked("name", lambda: required_line(name, pointer="", max_length=PRODUCT_NAME_LENGTH)),
        price=_price(row["price"], currency, "price"),
        description=_checked("description", lambda: clean_description(row.get("description", ""))),
        brand=_line(row, "brand", BRAND_LENGTH),
        category=_path(row.get("category", ""), "category"),
        variant=_line(row, "variant", VARIANT_NAME_LENGTH) or "",
        variant_of=variant_of,
        stock=_stock(row.get("stock", "")),
    )


FORMATS = {
    each.name: each
    for each in (
        Format(name="livostyle", required=("handle", "title", "category_full_path", "price_min_usd"), parse=_livostyle),
        Format(name="csv", required=("sku", "name", "price"), parse=_template),
    )
}


def format_of(header: Sequence[str], chosen: str | None) -> Format:
    """The chosen format, or the one that the header shows. Raises `FileProblem` where columns are missing."""
    missing = {name: [column for column in each.required if column not in header] for name, each in FORMATS.items()}
    if chosen is not None:
        if missing[chosen]:
            raise FileProblem(f"the header has no {', '.join(missing[chosen])}, which the format {chosen} needs")
        return FORMATS[chosen]
    found = next((name for name in FORMATS if not missing[name]), None)
    if found is None:
        needed = "; ".join(f"{name}: {', '.join(each.required)}" for name, each in FORMATS.items())
        raise FileProblem(f"the header shows none of the formats (needed columns: {needed})")
    return FORMATS[found]


def _checked(column: str, rule: Callable[[], T]) -> T:
    """The rule's answer; its no becomes the row's refusal."""
    try:
        return rule()
    except Invalid as error:
        raise Refused(f"{column}: {error.detail}") from error


def _line(row: Mapping[str, str], column: str, max_length: int) -> str | None:
    return _checked(column, lambda: clean_line(row.get(column, ""), pointer="", max_length=max_length))


def _sku(text: str, column: str) -> str:
    sku = text.strip()
    _checked(column, lambda: check_sku(sku))
    return sku


def _price(text: str, currency: str, column: str) -> Money:
    try:
        price = Money(minor_units(decimal_number(text, column), currency), currency)
    except ValueError as error:
        raise Refused(f"{column}: {error}") from error
    _checked(column, lambda: check_price(price))
    return price


def _path(text: str, column: str) -> tuple[str, ...]:
    """A > B > C, from the top of the tree down; blank: in no category."""
    if not text.strip():
        return ()
    return tuple(
        _checked(column, lambda part=part: required_line(part, pointer="", max_length=CATEGORY_NAME_LENGTH))
        for part in text.split(">")
    )


def _stock(text: str) -> int:
    stock = whole_number(text, "stock") if text.strip() else 0
    if not 0 <= stock <= MOST_MOVED:
        raise Refused(f"stock: from 0 to {MOST_MOVED} pieces")
    return stock
