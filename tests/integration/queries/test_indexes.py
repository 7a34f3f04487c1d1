"""Every supported query shape uses an index and has a time limit, whatever the parameters."""

from __future__ import annotations

from typing import Any

import pytest

from queries.documents.connection import database
from tests.integration.queries.conftest import STAFF, Ask, ReadStore, as_customer
from tests.integration.queries.documents import (
    cart,
    cart_line,
    category,
    customer,
    order,
    product,
    sales_day,
    stock_item,
)

CUSTOMER, NOBODY = (f"00000000-0000-7000-8000-0000000000{end}" for end in ("c1", "c2"))  # parts of test names
DAYS = "from=2026-01-01&to=2026-01-31"
SHAPES = [
    *(f"products?sort={sort}&limit=2" for sort in ("newest", "name", "-name", "price", "-price")),
    "products?category=mugs&limit=2",
    "products?category=home&limit=2",
    "products?price_min=1&price_max=20&limit=2",
    "products?price_max=20&sort=-price&limit=2",
    "products?in_stock=true&limit=2",
    "products?q=red&limit=2",
    "products?q=red+mug&sort=price&limit=2",
    "products?q=red+mug&category=home&in_stock=true&price_min=1&sort=name&limit=2",
    "products?status=any&limit=2",
    "products?status=draft&sort=name&limit=2",
    "products/red-mug-1",
    f"products/{NOBODY}",
    "orders?limit=2",
    "orders?status=placed&limit=2",
    "orders?placed_from=2026-01-01&placed_to=2026-02-01&limit=2",
    f"orders?customer={CUSTOMER}&status=placed&limit=2",
    f"orders/{NOBODY}",
    "customers?limit=2",
    "customers?email=ada@acme.test&limit=2",
    "customers?number=17850",
    f"customers/{NOBODY}",
    "stock?limit=2",
    "stock?low=true&limit=2",
    "stock?low=false&threshold=1&limit=2",
    "stock?sku=S3",
    *(f"reports/sales?{DAYS}&by={by}&interval=week" for by in ("none", "product", "category", "country")),
    f"reports/best-sellers?{DAYS}",
    f"reports/best-sellers?{DAYS}&by=gross",
]


@pytest.fixture
def shop(store: ReadStore) -> ReadStore:
    home = category("Home")
    mugs = category("Mugs", parent_id=home["_id"])
    store.put("categories", home, mugs)
    for status in ("published", "draft", "archived"):
        store.put(
            "products",
            *(product(f"Red mug {n}", category_id=mugs["_id"], minutes=n, status=status) for n in range(9)),
        )
    store.put("orders", *(order(customer_id=CUSTOMER) for _ in range(9)))
    store.put("customers", *(customer("Ada") for _ in range(9)))
    store.put("stock", *(stock_item(f"S{n}", n) for n in range(9)))
    store.put("sales_by_day", *(sales_day(f"2026-01-0{n}", "product", "MUG", units=1) for n in range(1, 9)))
    return store


def stages(plan: Any) -> set[str]:
    """The stages of a winning plan, wherever they are nested."""
    if isinstance(plan, list):
        return set().union(*(stages(part) for part in plan))
    if not isinstance(plan, dict):
        return set()
    own = {plan["stage"]} if isinstance(plan.get("stage"), str) else set()
    return own.union(*(stages(part) for part in plan.values()))


def uses_index(collection: str, query: dict[str, Any]) -> bool:
    """Whether the plan has no collection scan.

    The embedded store says COLLSCAN of every filter that no single index covers, though it looks one clause up by
    index; so what an index covers of the filter is asked for as well. A ``$or`` at the top it really scans.
    """
    assert not any(name.startswith("$") for name in query), query
    indexes = [[field for field, _ in index["key"]] for index in database()[collection].index_information().values()]
    covered = [{field: query[field] for field in index if field in query} for index in indexes if index[0] in query]
    return any(
        "COLLSCAN" not in stages(database()[collection].find(part).explain()["queryPlanner"]["winningPlan"])
        for part in (query, *covered)
    )


def check(commands: list[dict[str, Any]]) -> int:
    """How many reads of documents there were; the small bookkeeping and the cached tree are read whole."""
    for command in commands:
        assert command.get("maxTimeMS"), command
    reads = 0
    for command in commands:
        collection = command.get("find") or command["aggregate"]
        if "__g" in collection and not collection.startswith("categories__"):
            query = command["filter"] if "find" in command else command["pipeline"][0]["$match"]
            assert uses_index(collection, query), command
            reads += 1
    return reads


@pytest.mark.parametrize("shape", SHAPES)
def test_uses_an_index(shop: ReadStore, ask: Ask, asked: list[dict[str, Any]], shape: str) -> None:
    answer = ask(f"/api/v1/{shape}", headers=STAFF)
    assert answer.status_code in {200, 404}
    if answer.status_code == 200 and (following := answer.json().get("next")):
        second = ask(following, headers=STAFF).json()
        ask(second["previous"], headers=STAFF)
    assert check(list(asked))


def test_own_orders_and_cart(shop: ReadStore, ask: Ask, asked: list[dict[str, Any]]) -> None:
    mug = product("Own mug")
    mine = cart(cart_line(mug, quantity=1, unit_price=1), customer_id=CUSTOMER)
    shop.put("products", mug)
    shop.put("carts", mine)
    asked.clear()
    assert ask("orders?limit=2&status=placed", headers=as_customer(CUSTOMER)).status_code == 200
    assert ask("orders?limit=2", headers=as_customer(CUSTOMER)).status_code == 200
    assert ask(f"carts/{mine['_id']}", headers=as_customer(CUSTOMER)).status_code == 200
    assert check(list(asked)) == 4
