"""A query without the token may be stale, with the token it is always new; the projector is made slow on purpose."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.filled_shop import FilledShop, fill
from tests.stack import Stack

PROJECTOR = "projector-1"


@pytest.fixture(scope="module")
def shop() -> Iterator[FilledShop]:
    stack = Stack.start(("--no-demo",))
    try:
        filled = fill(stack)
        yield filled
    finally:
        stack.close()


def change_price(shop: FilledShop, amount: int) -> str:
    """Answers the consistency token of the change."""
    price = {"amount_minor": amount, "currency": "GBP"}
    shop.write(f"products/{shop.ids['product']}/set-price", {"sku": "MUG", "price": price})
    return shop.consistency


def read(shop: FilledShop, **headers: str) -> httpx.Response:
    return shop.client.get(f"products/{shop.ids['product']}", headers=headers)


def price_in(answer: httpx.Response) -> Any:
    assert answer.status_code == 200, answer.text
    (variant,) = answer.json()["variants"]
    return variant["price"]["amount_minor"]


@pytest.fixture
def caught_up(shop: FilledShop) -> None:
    assert read(shop, **{"Consistency-Token": change_price(shop, 100), "Prefer": "wait=20"}).status_code == 200


def test_stale_without_the_token_new_with_it(shop: FilledShop, caught_up: None) -> None:
    shop.stack.suspend(PROJECTOR)
    resumed = threading.Timer(1.0, shop.stack.resume, [PROJECTOR])
    try:
        token = change_price(shop, 777)
        assert price_in(read(shop)) == 100
        resumed.start()
        started = time.monotonic()
        fresh = read(shop, **{"Consistency-Token": token, "Prefer": "wait=10"})
        assert price_in(fresh) == 777
        assert time.monotonic() - started > 0.3, "the projector was not slow: the test shows nothing"
    finally:
        resumed.cancel()
        shop.stack.resume(PROJECTOR)


def test_not_reached_in_time_is_a_503_or_marked_stale(shop: FilledShop, caught_up: None) -> None:
    shop.stack.suspend(PROJECTOR)
    try:
        token = change_price(shop, 555)
        behind = read(shop, **{"Consistency-Token": token, "Prefer": "wait=1"})
        assert behind.status_code == 503
        assert behind.headers["Retry-After"]
        assert behind.json()["code"] == "read-model-behind"
        stale = read(shop, **{"Consistency-Token": token, "Prefer": "wait=0, handling=lenient"})
        assert price_in(stale) == 100
        assert stale.headers["Consistency"] == "behind"
    finally:
        shop.stack.resume(PROJECTOR)
    assert price_in(read(shop, **{"Consistency-Token": token, "Prefer": "wait=20"})) == 555


def test_always_new_with_the_token_however_slow(shop: FilledShop, caught_up: None) -> None:
    """Forty writes, each read back at once with its token, while the projector stutters."""
    stop, stale = threading.Event(), 0
    moments = random.Random(5)

    def stutter() -> None:
        while not stop.is_set():
            shop.stack.suspend(PROJECTOR)
            time.sleep(moments.uniform(0.05, 0.4))
            shop.stack.resume(PROJECTOR)
            time.sleep(moments.uniform(0.05, 0.2))

    thread = threading.Thread(target=stutter)
    thread.start()
    try:
        for amount in range(1_000, 1_040):
            token = change_price(shop, amount)
            stale += price_in(read(shop)) != amount
            assert price_in(read(shop, **{"Consistency-Token": token, "Prefer": "wait=20"})) == amount
    finally:
        stop.set()
        thread.join()
    assert stale > 5, "without the token nothing was ever stale: the test shows nothing"


def test_every_kind_of_read_waits(shop: FilledShop, caught_up: None) -> None:
    """An order that was just placed shows in all that it touched: the order, its list, the product, the stock."""
    for quantity in (1, 2, 3):
        before = get(shop, "stock", shop.consistency)["results"][0]["available"]
        shop.stack.suspend(PROJECTOR)
        threading.Timer(0.3, shop.stack.resume, [PROJECTOR]).start()
        order = shop.write("orders", {"lines": [{"sku": "MUG", "quantity": quantity}]})["id"]
        token = shop.consistency
        assert get(shop, f"orders/{order}", token)["status"] == "placed"
        assert order in [found["id"] for found in get(shop, "orders", token)["results"]]
        assert get(shop, "stock", token)["results"][0]["available"] == before - quantity
        assert get(shop, f"products/{shop.ids['product']}", token)["available"] == before - quantity


def get(shop: FilledShop, path: str, token: str) -> Any:
    answer = shop.client.get(path, headers=shop.headers() | {"Consistency-Token": token, "Prefer": "wait=20"})
    assert answer.status_code == 200, answer.text
    return answer.json()
