"""A shop without Kafka: events are numbered by hand, and a generation is filled in this process."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import psycopg
import pytest
from django.db import connection
from pymongo.database import Database

from acme.contracts.base import Money
from acme.ports import aggregate_states, event_log, subject_keys
from commands.catalog.models import Product
from commands.catalog.set_price import SetPrice, set_price
from commands.outbox.sequencer import number
from projections.rebuilding import plan, rebuild, swap
from projections.rebuilding.fillers import filler_of
from projections.registry import PROJECTIONS
from projections.runtime.generations import open_live
from projections.runtime.projection import Projection
from projections.verification.verify import Oracles
from queries.documents import connection as read_store
from queries.documents.connection import database
from tests.integration.commands.shop import run, stocked
from tests.oracle import compare_with_log

PRODUCTS = PROJECTIONS["products"]


@dataclass
class Shelf:
    """Products whose prices change; ``live`` applies what has happened to the live generation, as a worker would."""

    store: Database[Any]
    products: list[tuple[UUID, str]] = field(default_factory=list)
    random: random.Random = field(default_factory=lambda: random.Random(5))

    def act(self, commands: int) -> None:
        """Products and prices, numbered."""
        for _ in range(commands):
            if len(self.products) < 4:
                sku = f"R{len(self.products)}"
                stocked(sku)
                self.products.append((Product.objects.get(variants__sku=sku).id, sku))
            else:
                product, sku = self.random.choice(self.products)
                run(set_price, SetPrice(product_id=product, sku=sku, price=Money(self.random.randint(1, 999), "GBP")))
        url = "postgresql://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
        with psycopg.connect(url) as link:
            number(link, 10_000)

    def live(self) -> int:
        """Brings the live generation up to date and answers its number."""
        generation = open_live(self.store, PRODUCTS)
        with filler_of("products", generation, plan.all_streams(event_log(), PRODUCTS)) as filler:
            filler.fill()
        return generation

    def differences(self, generation: int | None = None) -> list[str]:
        return compare_with_log(self.store, [PRODUCTS], generation)["products"]

    @property
    def pointer(self) -> dict[str, Any]:
        return self.store["projection_pointers"].find_one({"_id": "products"}) or {}

    def collections(self) -> set[str]:
        return {name for name in self.store.list_collection_names() if name.startswith("products__g")}

    def rebuild(self, projection: Projection = PRODUCTS, **options: Any) -> rebuild.Rebuilt:
        return rebuild.rebuild(self.store, oracles(), projection, by="tests", **options)

    def roll_back(self, *, accept: bool = False) -> rebuild.Rebuilt:
        return rebuild.roll_back(self.store, oracles(), PRODUCTS, accept=accept)


def oracles() -> Oracles:
    return Oracles(log=event_log(), states=aggregate_states(), keys=subject_keys())


def fill_here(name: str, generation: int, streams: Any, *, look: Callable[[], None], **others: Any) -> None:
    """What the parallel processes do, in this one."""
    look()
    with filler_of(name, generation, streams) as filler:
        filler.fill()
    look()


@pytest.fixture
def shelf(
    mongo: str,
    mongo_database: str,
    shop_database: None,
    point_mongodb: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Shelf]:
    point_mongodb(f"{mongo.rpartition('/')[0]}/{mongo_database}")
    monkeypatch.setattr(rebuild, "fill_in_parallel", fill_here)
    monkeypatch.setattr(plan, "LEASE", 0.2)
    monkeypatch.setattr(swap, "READERS", 0.05)
    made = Shelf(database())
    made.act(24)
    made.live()
    yield made


@pytest.fixture
def fresh_pointers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Readers look at the pointer each time, as those do that have not looked for a second."""
    monkeypatch.setattr(read_store, "POINTER_SECONDS", 0.0)
