"""Who may change catalogue and stock: staff and the shop itself, nobody else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from acme.errors import Forbidden, NotAuthenticated, ShopError
from acme.identity import Actor, Role
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
from commands.inventory.adjust_stock import AdjustStock, adjust_stock
from commands.inventory.receive_stock import ReceiveStock, receive_stock
from tests.integration.commands.catalog.catalogue import category, gbp, product
from tests.integration.commands.shop import NOBODY, OTHER_GUEST, STAFF, STRANGER, refused, run

pytestmark = pytest.mark.django_db

STAFF_COMMANDS: list[tuple[Callable[..., Any], type[Any], dict[str, Any]]] = [
    (create_category, CreateCategory, {"name": "New"}),
    (change_category, ChangeCategory, {"category_id": None, "name": "New"}),
    (move_category, MoveCategory, {"category_id": None, "parent_id": None}),
    (create_product, CreateProduct, {"name": "New"}),
    (change_product, ChangeProduct, {"product_id": None, "name": "New"}),
    (categorise_product, CategoriseProduct, {"product_id": None, "category_id": None}),
    (add_variant, AddVariant, {"product_id": None, "sku": "NEW"}),
    (remove_variant, RemoveVariant, {"product_id": None, "sku": "LAMP-1"}),
    (set_price, SetPrice, {"product_id": None, "sku": "LAMP-1", "price": gbp(1)}),
    (publish_product, PublishProduct, {"product_id": None}),
    (unpublish_product, UnpublishProduct, {"product_id": None}),
    (archive_product, ArchiveProduct, {"product_id": None}),
    (receive_stock, ReceiveStock, {"sku": "LAMP-1", "quantity": 1}),
    (adjust_stock, AdjustStock, {"sku": "LAMP-1", "quantity_change": 1, "reason": "found"}),
]
SUPERUSER = Actor(user_id=uuid4(), roles=frozenset({Role.SUPERUSER}))


@pytest.fixture
def ids() -> dict[str, Any]:
    """A category and a product in stock, for commands that change one."""
    made = {"category_id": category(), "product_id": product()}
    run(receive_stock, ReceiveStock(sku="LAMP-1", quantity=5))
    return made


@pytest.mark.parametrize(
    ("actor", "error"), [(NOBODY, NotAuthenticated), (OTHER_GUEST, NotAuthenticated), (STRANGER, Forbidden)]
)
@pytest.mark.parametrize(
    ("handler", "command", "members"), STAFF_COMMANDS, ids=lambda value: getattr(value, "__name__", "")
)
def test_others_are_refused(
    handler: Callable[..., Any],
    command: type[Any],
    members: dict[str, Any],
    actor: Actor,
    error: type[ShopError],
    ids: dict[str, Any],
) -> None:
    with refused(error):
        run(handler, _filled(command, members, ids), actor)


@pytest.mark.parametrize("actor", [STAFF, SUPERUSER], ids=["staff", "superuser"])
@pytest.mark.parametrize(
    ("handler", "command", "members"), STAFF_COMMANDS, ids=lambda value: getattr(value, "__name__", "")
)
def test_staff_may(
    handler: Callable[..., Any], command: type[Any], members: dict[str, Any], actor: Actor, ids: dict[str, Any]
) -> None:
    run(handler, _filled(command, members, ids), actor)


def _filled(command: type[Any], members: dict[str, Any], ids: dict[str, Any]) -> Any:
    """The command about the category or product that was made."""
    subject = {"category_id": ids["category_id"]} if command in {ChangeCategory, MoveCategory} else {}
    subject |= {"product_id": ids["product_id"]} if "product_id" in members else {}
    return command(**{**members, **subject})
