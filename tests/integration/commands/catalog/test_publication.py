"""publish_product, unpublish_product, archive_product."""

from __future__ import annotations

from uuid import uuid4

import pytest

from acme.contracts.catalog import ProductArchived, ProductPublished, ProductUnpublished
from acme.errors import Conflict, NotFound, StaleVersion
from commands.catalog.archive_product import ArchiveProduct, archive_product
from commands.catalog.models import Product
from commands.catalog.publish_product import PublishProduct, publish_product
from commands.catalog.unpublish_product import UnpublishProduct, unpublish_product
from tests.integration.commands.catalog.catalogue import product, variant
from tests.integration.commands.shop import events_of, refused, run

pytestmark = pytest.mark.django_db

PUBLISH = (publish_product, PublishProduct)
UNPUBLISH = (unpublish_product, UnpublishProduct)
ARCHIVE = (archive_product, ArchiveProduct)


def test_the_whole_life() -> None:
    lamp = product()
    for handler, command in (PUBLISH, UNPUBLISH, PUBLISH, ARCHIVE):
        assert run(handler, command(product_id=lamp)).changed
        again = run(handler, command(product_id=lamp))
        assert not again.changed
    assert [type(event) for event in events_of(lamp)[3:]] == [
        ProductPublished,
        ProductUnpublished,
        ProductPublished,
        ProductArchived,
    ]
    row = Product.objects.get(id=lamp)
    assert (row.status, row.version, again.version) == ("archived", 7, 7)


@pytest.mark.parametrize(("handler", "command"), [PUBLISH, UNPUBLISH])
def test_archived_is_final(handler, command) -> None:
    lamp = product()
    run(archive_product, ArchiveProduct(product_id=lamp))
    with refused(Conflict, code="wrong-state"):
        run(handler, command(product_id=lamp))


def test_a_product_without_a_price_is_not_published() -> None:
    lamp = product("Lamp", variant("A", None))
    with refused(Conflict, code="not-sellable"):
        run(publish_product, PublishProduct(product_id=lamp))


@pytest.mark.parametrize(("handler", "command"), [PUBLISH, UNPUBLISH, ARCHIVE])
def test_unknown_or_stale(handler, command) -> None:
    lamp = product()
    with refused(NotFound):
        run(handler, command(product_id=uuid4()))
    with refused(StaleVersion):
        run(handler, command(product_id=lamp, expected_version=1))
