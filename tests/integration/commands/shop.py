"""What the tests of the write side share: running handlers, reading the log back as typed events, comparing states."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.apps import apps

from acme.contracts.base import Event, Money
from acme.contracts.envelope import decode
from acme.errors import ShopError
from acme.identity import Actor, Role, system
from commands.catalog.create_product import CreateProduct, create_product
from commands.catalog.variants import NewVariant
from commands.handling import Done, execute
from commands.inventory.receive_stock import ReceiveStock, receive_stock
from commands.outbox.columns import read_envelopes
from commands.outbox.personal import DataSubjectKeys

NOW = datetime(2026, 3, 1, 12, 30, tzinfo=UTC)
SHOP = system("tests")
STAFF = Actor(user_id=uuid4(), customer_id=uuid4(), roles=frozenset({Role.CUSTOMER, Role.STAFF}))
STRANGER = Actor(user_id=uuid4(), customer_id=uuid4(), roles=frozenset({Role.CUSTOMER}))
OTHER_GUEST = Actor(guest_token="another-guests-token")
NOBODY = Actor()


def shopper(customer_id: UUID) -> Actor:
    """That customer, logged in."""
    return Actor(user_id=uuid4(), customer_id=customer_id, roles=frozenset({Role.CUSTOMER}))


def run(handler: Callable[..., Done], command: Any, actor: Actor = SHOP, now: datetime = NOW) -> Done:
    """The command in its own transaction."""
    done, _ = execute(handler, command, actor=actor, now=now)
    return done


def events_of(aggregate_id: UUID) -> list[Event]:
    """All events of an aggregate, personal data opened; asserts that their versions are 1, 2, 3, …"""
    envelopes = read_envelopes("aggregate_id = %s ORDER BY aggregate_version", [aggregate_id], 1)
    assert [envelope.aggregate_version for envelope in envelopes] == list(range(1, len(envelopes) + 1))
    return [decode(envelope, DataSubjectKeys().unseal) for envelope in envelopes]


def everything() -> dict[str, list[dict[str, Any]]]:
    """Every row of every table of the write side, the log included."""
    return {
        model.__name__: list(model._default_manager.order_by("pk").values())
        for model in apps.get_app_config("commands").get_models()
    }


@contextmanager
def refused(kind: type[ShopError], *, code: str | None = None, pointer: str | None = None) -> Iterator[list[ShopError]]:
    """Asserts that the block raises this error, and that nothing at all has changed; the list then has the error."""
    before, errors = everything(), []
    with pytest.raises(kind) as caught:
        yield errors
    errors.append(caught.value)
    assert type(caught.value) is kind
    if code is not None:
        assert caught.value.code == code
    if pointer is not None:
        assert caught.value.pointer == pointer
    assert everything() == before


def stocked(sku: str, *, price: int = 1250, on_hand: int = 10, publish: bool = True) -> UUID:
    """A product with one variant, in GBP, and so many pieces of it; answers the variant's id."""
    variant = NewVariant(sku=sku, price=Money(price, "GBP"))
    made = run(create_product, CreateProduct(name=f"Thing {sku}", variants=(variant,), publish=publish))
    if on_hand:
        run(receive_stock, ReceiveStock(sku=sku, quantity=on_hand))
    return UUID(made.result["variants"][0]["variant_id"])
