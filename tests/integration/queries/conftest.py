"""A read store of the tests' own, filled by hand, and a client that asks the real addresses."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from django.test import Client
from pymongo import monitoring
from pymongo.collection import Collection

from acme.contracts.topics import TOPICS
from acme.env import env
from acme.identity import Role
from queries import asof, tree
from queries.documents import bookkeeping, carts, categories, connection, customers, orders, products, sales, stock

DATABASE = "test_queries"
DOCUMENTS = (
    products.ProductDocument,
    categories.CategoryDocument,
    carts.CartDocument,
    orders.OrderDocument,
    customers.CustomerDocument,
    stock.StockDocument,
    sales.SalesDayDocument,
    bookkeeping.PositionDocument,
)
MODEL_TOPICS = {
    "products": ["acme.catalog", "acme.inventory"],
    "categories": ["acme.catalog"],
    "carts": ["acme.carts"],
    "orders": ["acme.orders"],
    "customers": ["acme.customers", "acme.orders"],
    "stock": ["acme.inventory"],
    "sales_by_day": ["acme.orders"],
    "positions": [topic.name for topic in TOPICS],
}


class Asked(monitoring.CommandListener):
    """The reads that the code under test sends to the store, while somebody listens."""

    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] | None = None

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        if self.commands is not None and event.command_name in {"find", "aggregate"}:
            self.commands.append(dict(event.command))

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Only the questions matter."""

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Only the questions matter."""


ASKED = Asked()


@pytest.fixture
def asked() -> Iterator[list[dict[str, Any]]]:
    """Fills with the find and aggregate commands of the test."""
    ASKED.commands = []
    yield ASKED.commands
    ASKED.commands = None


class ReadStore:
    """The store as a caught-up projector leaves it."""

    def collection(self, name: str) -> Collection[dict[str, Any]]:
        return connection.database()[name]

    def put(self, read_model: str, *documents: dict[str, Any], generation: int = 1) -> None:
        """Inserts documents and forgets what was cached."""
        if documents:
            self.collection(connection.collection_name(read_model, generation)).insert_many(list(documents))
        self.forget()

    def forget(self) -> None:
        tree.forget_tree()
        asof.forget_as_of()

    def empty(self) -> None:
        for name in connection.database().list_collection_names():
            self.collection(name).delete_many({})
        connection._pointers.clear()
        self.forget()

    def _replace(self, collection: str, documents: list[dict[str, Any]]) -> None:
        self.collection(collection).delete_many({})
        self.collection(collection).insert_many(documents)
        asof.forget_as_of()

    def point(self, **live: int) -> None:
        """Pointers of all read models, generation 1 unless given."""
        pointers = [{"_id": name, "live": live.get(name, 1), "topics": of} for name, of in MODEL_TOPICS.items()]
        self._replace("projection_pointers", pointers)

    def heads(self, sequence: int = 0, *, seen_at: datetime | None = None) -> None:
        """Stream heads, all partitions at the same sequence."""
        common = {"sequence": sequence, "published": sequence, "log_epoch": 1, "seen_at": seen_at or datetime.now(UTC)}
        places = [(topic.name, partition) for topic in TOPICS for partition in range(topic.partitions)]
        heads = [{"_id": f"{name}|{number}", "topic": name, "partition": number, **common} for name, number in places]
        self._replace("stream_heads", heads)

    def checkpoint(self, read_model: str, topic: str, partition: int, sequence: int, *, generation: int = 1) -> None:
        key = f"{read_model}|{generation}|{topic}|{partition}"
        place = {"projection": read_model, "generation": generation, "topic": topic, "partition": partition}
        values = {**place, "sequence": sequence, "recorded_at": datetime.now(UTC)}
        self.collection("projection_checkpoints").update_one({"_id": key}, {"$set": values}, upsert=True)


@pytest.fixture(scope="session")
def _read_store(mongo: str) -> Iterator[ReadStore]:
    url = mongo.rpartition("/")[0] + f"/{DATABASE}"
    monitoring.register(ASKED)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(connection, "env", dataclasses.replace(env, mongodb_url=url))
        connection.reset_connection()
        for document in DOCUMENTS:
            collection = connection.database()[connection.collection_name(document.projection, 1)]
            for spec in document._meta["index_specs"]:
                collection.create_index(**{"keys": spec["fields"], **{k: v for k, v in spec.items() if k != "fields"}})
        yield ReadStore()
        connection.database().client.drop_database(DATABASE)
    connection.reset_connection()


@pytest.fixture
def store(_read_store: ReadStore) -> ReadStore:
    """Empty, with pointers and heads."""
    _read_store.empty()
    _read_store.point()
    _read_store.heads()
    return _read_store


def bearer(*roles: Role, customer_id: str | None = None) -> str:
    claims = {
        "sub": str(uuid4()),
        "customer_id": customer_id,
        "roles": list(roles),
        "token_type": "access",
        "iss": "acme",
        "aud": "acme-api",
        "exp": int(time.time()) + 86_400,  # some are made when the tests are collected, long before they run
    }
    return "Bearer " + jwt.encode(claims, env.require("jwt_private_key"), algorithm="EdDSA")


Ask = Callable[..., Any]
STAFF = {"Authorization": bearer(Role.STAFF)}


def as_customer(customer_id: str | UUID) -> dict[str, str]:
    return {"Authorization": bearer(Role.CUSTOMER, customer_id=str(customer_id))}


@pytest.fixture
def ask(store: ReadStore) -> Ask:
    """``ask("products", q="mug", headers={...})``: a GET below /api/v1/ (or of an address from a link)."""
    client = Client(raise_request_exception=False)

    def get(path: str, *, headers: dict[str, str] | None = None, **parameters: Any) -> Any:
        address = path if path.startswith("/") else f"/api/v1/{path}"
        return client.get(address, parameters, headers=headers or {})

    return get
