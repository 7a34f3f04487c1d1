"""Admin pages of the catalogue."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, Min, Q, QuerySet
from django.http import HttpRequest

from acme.env import env
from acme.errors import Invalid, ShopError
from acme.money import decimal_text
from commands.catalog import admin_forms as forms
from commands.catalog.add_variant import AddVariant, add_variant
from commands.catalog.archive_product import ArchiveProduct, archive_product
from commands.catalog.categorise_product import CategoriseProduct, categorise_product
from commands.catalog.change_category import ChangeCategory, change_category
from commands.catalog.change_product import ChangeProduct, change_product
from commands.catalog.create_category import CreateCategory, create_category
from commands.catalog.create_product import CreateProduct, create_product
from commands.catalog.lifecycle import Status
from commands.catalog.models import Category, Product, Variant
from commands.catalog.move_category import MoveCategory, move_category
from commands.catalog.publish_product import PublishProduct, publish_product
from commands.catalog.remove_variant import RemoveVariant, remove_variant
from commands.catalog.set_price import SetPrice, set_price
from commands.catalog.unpublish_product import UnpublishProduct, unpublish_product
from commands.catalog.variants import NewVariant
from commands.customers.roles import actor_of
from commands.handler_admin import AdminCommand, CommandForm, HandlerAdmin, ReadOnlyInline
from commands.handling import Done, execute

Data = dict[str, Any]


def _create_category(_: None, data: Data) -> CreateCategory:
    return CreateCategory(name=data["name"], slug=data["slug"] or None, parent_id=data["parent_id"])


@admin.register(Category)
class CategoryAdmin(HandlerAdmin):
    """The category tree."""

    list_display = ("name", "parent", "slug", "product_count")
    list_select_related = ("parent",)
    list_filter = (("parent", admin.EmptyFieldListFilter),)
    search_fields = ("name", "slug", "=id")
    ordering = ("name", "id")
    fields = ("name", "slug", "parent", "product_count", "id", "version", "created_at")
    creates = AdminCommand(
        name="create",
        label="Add category",
        form=forms.CreateCategoryForm,
        build=_create_category,
        handler=create_category,
    )
    commands = (
        AdminCommand(
            name="change",
            label="Change name or slug",
            form=forms.ChangeCategoryForm,
            build=lambda category, data: ChangeCategory(category_id=category.id, **data),
            handler=change_category,
        ),
        AdminCommand(
            name="move",
            label="Move",
            form=forms.MoveCategoryForm,
            build=lambda category, data: MoveCategory(category_id=category.id, **data),
            handler=move_category,
            description="It moves with all that is below it.",
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Category]:
        return super().get_queryset(request).annotate(products_in_it=Count("products"))

    @admin.display(description="Products", ordering="products_in_it")
    def product_count(self, category: Any) -> int:
        return int(category.products_in_it)


def _create_product(_: None, data: Data) -> CreateProduct:
    price = forms.taken_price(data)
    sku, name = data["sku"], data["variant_name"]
    if not sku and (price is not None or name):
        raise Invalid("a variant needs a SKU", pointer="/sku")
    return CreateProduct(
        name=data["name"],
        slug=data["slug"] or None,
        description=data["description"],
        brand=data["brand"],
        category_id=data["category_id"],
        variants=(NewVariant(sku=sku, name=name, price=price),) if sku else (),
        publish=data["publish"],
    )


def _command(kind: type[Any]) -> Callable[[Product, Data], Any]:
    """Builds a command on a product from the form's data, its price put together."""

    def build(product: Product, data: Data) -> Any:
        price = {"price": forms.taken_price(data)} if "price" in data else {}
        return kind(product_id=product.id, **data, **price)

    return build


def _page(
    name: str,
    label: str,
    kind: type[Any],
    handler: Callable[..., Done],
    form: type[CommandForm] = CommandForm,
    description: str = "",
    of: tuple[Status, ...] = (Status.DRAFT, Status.PUBLISHED),
) -> AdminCommand:
    """A command that is offered for products in some states."""
    return AdminCommand(
        name=name,
        label=label,
        form=form,
        build=_command(kind),
        handler=handler,
        description=description,
        offered=lambda product, actor: product.status in of,
    )


class VariantInline(ReadOnlyInline):
    model = Variant
    fields = ("sku", "name", "prices", "removed")
    readonly_fields = ("prices",)
    ordering = ("sku",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Variant]:
        return super().get_queryset(request).prefetch_related("prices")

    @admin.display
    def prices(self, variant: Variant) -> str:
        said = sorted(f"{decimal_text(p.amount_minor, p.currency)} {p.currency}" for p in variant.prices.all())
        return ", ".join(said) or "—"


@admin.register(Product)
class ProductAdmin(HandlerAdmin):
    """Products with their variants and prices."""

    list_display = ("name", "status", "category", "brand", "variant_count", "from_price")
    list_select_related = ("category",)
    list_filter = ("status", ("category", admin.RelatedOnlyFieldListFilter), "created_at")
    search_fields = ("name", "slug", "brand", "=variants__sku", "=id")
    search_help_text = "name, slug, brand, SKU as written, or id"
    ordering = ("-created_at", "-id")
    fieldsets = (
        (None, {"fields": ("name", "status", "category", "brand", "description")}),
        ("Address and record", {"fields": ("slug", "id", "version", "created_at")}),
    )
    inlines = (VariantInline,)
    actions = ("publish_chosen", "unpublish_chosen", "archive_chosen")
    creates = AdminCommand(
        name="create",
        label="Add product",
        form=forms.CreateProductForm,
        build=_create_product,
        handler=create_product,
    )
    commands = (
        _page("change", "Change details", ChangeProduct, change_product, forms.ChangeProductForm),
        _page("categorise", "Put into category", CategoriseProduct, categorise_product, forms.CategoriseForm),
        _page("add-variant", "Add variant", AddVariant, add_variant, forms.AddVariantForm),
        _page("set-price", "Set price", SetPrice, set_price, forms.SetPriceForm, "One price per variant and currency."),
        _page(
            "remove-variant",
            "Remove variant",
            RemoveVariant,
            remove_variant,
            forms.VariantForm,
            "Its SKU cannot be used again.",
        ),
        _page("publish", "Publish", PublishProduct, publish_product, of=(Status.DRAFT,)),
        _page("unpublish", "Unpublish", UnpublishProduct, unpublish_product, of=(Status.PUBLISHED,)),
        _page("archive", "Archive", ArchiveProduct, archive_product, description="For good: nothing undoes it."),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Product]:
        in_shop = Q(variants__removed=False)
        return (
            super()
            .get_queryset(request)
            .annotate(
                variants_in_shop=Count("variants", filter=in_shop, distinct=True),
                lowest_minor=Min(
                    "variants__prices__amount_minor", filter=in_shop & Q(variants__prices__currency=env.currency)
                ),
            )
        )

    @admin.display(description="Variants", ordering="variants_in_shop")
    def variant_count(self, product: Any) -> int:
        return int(product.variants_in_shop)

    @admin.display(description=f"From ({env.currency})", ordering="lowest_minor")
    def from_price(self, product: Any) -> str:
        return "—" if product.lowest_minor is None else decimal_text(product.lowest_minor, env.currency)

    @admin.action(description="Publish")
    def publish_chosen(self, request: HttpRequest, chosen: QuerySet[Product]) -> None:
        self._each(request, chosen, publish_product, PublishProduct, "published")

    @admin.action(description="Unpublish")
    def unpublish_chosen(self, request: HttpRequest, chosen: QuerySet[Product]) -> None:
        self._each(request, chosen, unpublish_product, UnpublishProduct, "unpublished")

    @admin.action(description="Archive for good")
    def archive_chosen(self, request: HttpRequest, chosen: QuerySet[Product]) -> None:
        self._each(request, chosen, archive_product, ArchiveProduct, "archived")

    def _each(
        self,
        request: HttpRequest,
        chosen: QuerySet[Product],
        handler: Callable[..., Done],
        kind: type[Any],
        said: str,
    ) -> None:
        """One command and transaction per chosen product; says how many were changed, and each refusal."""
        actor, changed = actor_of(request.user), 0
        for product in chosen:
            try:
                done, _ = execute(handler, kind(product_id=product.id), actor=actor)
                changed += done.changed
            except ShopError as error:
                messages.error(request, f"{product}: {error.detail}")
        messages.success(request, f"{changed} {said}.")
