"""Fixtures of the integration tests for faults under a single projector, which need no whole shop."""

from __future__ import annotations

import pytest

from tests.faults.alerted import Alerted
from tests.integration.conftest import (
    _emptied_by_its_owner,  # noqa: F401
    _published_by_hand,  # noqa: F401
    point_mongodb,  # noqa: F401
    shop_database,  # noqa: F401
)
from tests.integration.projections.conftest import Shop
from tests.integration.projections.conftest import shop as shop


@pytest.fixture
def alerted(shop: Shop, redis: str, point_mongodb, monkeypatch: pytest.MonkeyPatch, settings):  # type: ignore[no-untyped-def] # noqa: F811
    """Checks for alerts on this shop, and a mail server and a web server that get them; `Alerted.begin` starts them."""
    point_mongodb(shop.mongo.url)
    with Alerted(monkeypatch, settings) as made:
        yield made
