"""REST writes of the catalogue; all are for staff."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from acme.http.routes import Route
from acme.identity import Actor
from commands.catalog import bodies
from commands.catalog.add_variant import AddVariant, add_variant
from commands.catalog.archive_product import ArchiveProduct, archive_product
from commands.catalog.categorise_product import CategoriseProduct, categorise_product
from commands.catalog.change_category import ChangeCategory, change_category
from commands.catalog.change_product import ChangeProduct, change_product
from commands.catalog.create_category import CreateCategory, create_category
from commands.catalog.create_product import CreateProduct, create_product
from commands.catalog.move_category import MoveCategory, move_category
from commands.catalog.publish_product import PublishProduct, publish_product
from commands.catalog.remove_variant import RemoveVariant, remove_variant
from commands.catalog.set_price import SetPrice, set_price
from commands.catalog.unpublish_product import UnpublishProduct, unpublish_product
from commands.catalog.variants import NewVariant
from commands.http import CommandView

Data = dict[str, Any]


class CreateCategoryView(CommandView):
    """Creates a category, at the top of the tree or below another one."""

    body = bodies.CreateCategoryBody
    result = bodies.CategoryCreatedAnswer
    handler = staticmethod(create_category)
    creates = True

    def command(self, data: Data, *, actor: Actor, expected_version: int | None, **path: Any) -> CreateCategory:
        return CreateCategory(**data)


class ChangeCategoryView(CommandView):
    """Changes the members that are given; a new name leaves the slug as it is."""

    body = bodies.ChangeCategoryBody
    handler = staticmethod(change_category)
    version_required = True

    def command(self, data: Data, *, actor: Actor, expected_version: int | None, id: UUID) -> ChangeCategory:  # noqa: A002
        return ChangeCategory(category_id=id, expected_version=expected_version, **data)


class MoveCategoryView(CommandView):
    """Moves a category with all that is below it; never below itself."""

    body = bodies.MoveCategoryBody
    handler = staticmethod(move_category)

    def command(self, data: Data, *, actor: Actor, expected_version: int | None, id: UUID) -> MoveCategory:  # noqa: A002
        return MoveCategory(category_id=id, expected_version=expected_version, **data)


class CreateProductView(CommandView):
    """Creates a product, as a draft or published at once, with its variants and their prices."""

    body = bodies.CreateProductBody
    result = bodies.ProductCreatedAnswer
    handler = staticmethod(create_product)
    creates = True

    def command(self, data: Data, *, actor: Actor, expected_version: int | None, **path: Any) -> CreateProduct:
        variants = tuple(NewVariant(**variant) for variant in data.pop("variants", ()))
        return CreateProduct(variants=variants, **data)


class ProductView(CommandView):
    """Base of commands on one product: the members of the body are those of the command."""

    command_type: type[Any]

    def command(self, data: Data, *, actor: Actor, expected_version: int | None, id: UUID) -> Any:  # noqa: A002
        return self.command_type(product_id=id, expected_version=expected_version, **data)


class ChangeProductView(ProductView):
    """Changes the members that are given; a new name leaves the slug as it is, a brand of null takes it away."""

    body = bodies.ChangeProductBody
    handler = staticmethod(change_product)
    command_type = ChangeProduct
    version_required = True


class CategoriseProductView(ProductView):
    """Puts a product into a category, or into none."""

    body = bodies.CategoriseBody
    handler = staticmethod(categorise_product)
    command_type = CategoriseProduct


class AddVariantView(ProductView):
    """Adds a variant with its price. A SKU that was ever used, also by a removed variant, is taken."""

    body = bodies.NewVariantBody
    result = bodies.VariantAddedAnswer
    handler = staticmethod(add_variant)
    command_type = AddVariant


class RemoveVariantView(ProductView):
    """Takes a variant off a product; a published product keeps at least one that has a price."""

    body = bodies.SkuBody
    handler = staticmethod(remove_variant)
    command_type = RemoveVariant


class SetPriceView(ProductView):
    """Sets a variant's price in one currency; its prices in other currencies stay."""

    body = bodies.SetPriceBody
    handler = staticmethod(set_price)
    command_type = SetPrice


class PublishProductView(ProductView):
    """Publishes a draft; it needs a variant with a price."""

    body = bodies.NoMembers
    handler = staticmethod(publish_product)
    command_type = PublishProduct


class UnpublishProductView(ProductView):
    """Takes a published product back to a draft."""

    body = bodies.NoMembers
    handler = staticmethod(unpublish_product)
    command_type = UnpublishProduct


class ArchiveProductView(ProductView):
    """Archives a product for good."""

    body = bodies.NoMembers
    handler = staticmethod(archive_product)
    command_type = ArchiveProduct


ROUTES = [
    Route("categories", "POST", CreateCategoryView),
    Route("categories/<uuid:id>", "PATCH", ChangeCategoryView),
    Route("categories/<uuid:id>/move", "POST", MoveCategoryView),
    Route("products", "POST", CreateProductView),
    Route("products/<uuid:id>", "PATCH", ChangeProductView),
    Route("products/<uuid:id>/categorise", "POST", CategoriseProductView),
    Route("products/<uuid:id>/add-variant", "POST", AddVariantView),
    Route("products/<uuid:id>/remove-variant", "POST", RemoveVariantView),
    Route("products/<uuid:id>/set-price", "POST", SetPriceView),
    Route("products/<uuid:id>/publish", "POST", PublishProductView),
    Route("products/<uuid:id>/unpublish", "POST", UnpublishProductView),
    Route("products/<uuid:id>/archive", "POST", ArchiveProductView),
]
