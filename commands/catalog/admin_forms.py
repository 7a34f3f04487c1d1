"""Forms of the catalogue's admin pages."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pycountry
from django import forms

from acme.contracts.base import Money
from acme.env import env
from acme.errors import Invalid
from acme.money import minor_units
from commands.catalog.create_category import CATEGORY_NAME_LENGTH
from commands.catalog.create_product import BRAND_LENGTH, PRODUCT_NAME_LENGTH
from commands.catalog.find import all_categories
from commands.catalog.models import Category, Product
from commands.catalog.sku import SKU_LENGTH
from commands.catalog.variants import VARIANT_NAME_LENGTH
from commands.catalog.wording import DESCRIPTION_LENGTH
from commands.handler_admin import CommandForm

WIDE = {"size": 80}


def category_choices() -> list[tuple[str, str]]:
    """Every category with its path from the top ("Home › Lamps"), and none."""
    found = {category.id: category for category in all_categories()}

    def path(category_id: UUID) -> str:
        category = found[category_id]
        return category.name if category.parent_id is None else f"{path(category.parent_id)} › {category.name}"

    return [("", "—"), *sorted(((str(each), path(each)) for each in found), key=lambda choice: choice[1].casefold())]


def currency_choices() -> list[tuple[str, str]]:
    """All currencies by code."""
    return sorted((each.alpha_3, f"{each.alpha_3} {each.name}") for each in pycountry.currencies)


class CategoryField(forms.TypedChoiceField):
    """A category's id, or None."""

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=category_choices, coerce=UUID, required=False, empty_value=None, **options)


class NameField(forms.CharField):
    def __init__(self, max_length: int, **options: Any) -> None:
        super().__init__(max_length=max_length, widget=forms.TextInput(attrs=WIDE), **options)


class SkuField(forms.CharField):
    """Not trimmed, as in the API."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=SKU_LENGTH, strip=False, label="SKU", **options)


class PriceForm(CommandForm):
    """Price and currency as people write them."""

    price = forms.DecimalField(min_value=Decimal(0), max_digits=16)
    currency = forms.ChoiceField(choices=currency_choices, initial=env.currency)


def taken_price(data: dict[str, Any]) -> Money | None:
    """Takes price and currency out of a form's data. Raises `Invalid` for more decimals than the currency has."""
    amount, currency = data.pop("price"), data.pop("currency")
    if amount is None:
        return None
    try:
        return Money(minor_units(amount, currency), currency)
    except ValueError as error:
        raise Invalid(str(error), pointer="/price") from error


class CreateCategoryForm(CommandForm):
    name = NameField(CATEGORY_NAME_LENGTH)
    slug = NameField(140, required=False, help_text="Derived from the name when empty.")
    parent_id = CategoryField(label="Parent")


class ChangeCategoryForm(CommandForm):
    name = NameField(CATEGORY_NAME_LENGTH)
    slug = NameField(140, help_text="Part of the page's address: links to the old one stop working.")

    def prepare(self, aggregate: Category) -> None:
        self.initial.update(name=aggregate.name, slug=aggregate.slug)


class MoveCategoryForm(CommandForm):
    parent_id = CategoryField(label="Parent")

    def prepare(self, aggregate: Category) -> None:
        self.initial["parent_id"] = aggregate.parent_id


class DetailsForm(CommandForm):
    name = NameField(PRODUCT_NAME_LENGTH)
    slug = NameField(320, required=False, help_text="Derived from the name when empty.")
    brand = NameField(BRAND_LENGTH, required=False)
    description = forms.CharField(
        max_length=DESCRIPTION_LENGTH, required=False, widget=forms.Textarea(attrs={"rows": 10, "cols": 80})
    )


class CreateProductForm(DetailsForm, PriceForm):
    category_id = CategoryField(label="Category")
    sku = SkuField(required=False, help_text="Of the first variant; more can be added afterwards.")
    variant_name = NameField(VARIANT_NAME_LENGTH, required=False, help_text="Only needed with several variants.")
    price = forms.DecimalField(min_value=Decimal(0), max_digits=16, required=False)
    publish = forms.BooleanField(required=False, help_text="Otherwise it is a draft that shoppers do not see.")
    field_order = (
        "name",
        "slug",
        "brand",
        "description",
        "category_id",
        "sku",
        "variant_name",
        "price",
        "currency",
        "publish",
    )


class ChangeProductForm(DetailsForm):
    def prepare(self, aggregate: Product) -> None:
        self.fields["slug"].required = True
        self.fields["slug"].help_text = "Part of the page's address: links to the old one stop working."
        for name in ("name", "slug", "brand", "description"):
            self.initial[name] = getattr(aggregate, name)


class CategoriseForm(CommandForm):
    category_id = CategoryField(label="Category")

    def prepare(self, aggregate: Product) -> None:
        self.initial["category_id"] = aggregate.category_id


class AddVariantForm(PriceForm):
    sku = SkuField()
    name = NameField(VARIANT_NAME_LENGTH, required=False, help_text='Tells it from the others, for example "blue, 42".')
    price = forms.DecimalField(min_value=Decimal(0), max_digits=16, required=False)
    field_order = ("sku", "name", "price", "currency")


class VariantForm(CommandForm):
    """Chooses one of the product's variants."""

    sku = forms.ChoiceField(label="Variant")

    def prepare(self, aggregate: Product) -> None:
        variants = aggregate.variants.filter(removed=False).order_by("sku")
        self.fields["sku"].choices = [(each.sku, f"{each.sku} {each.name}".strip()) for each in variants]


class SetPriceForm(VariantForm, PriceForm):
    field_order = ("sku", "price", "currency")
