"""Sales and best sellers, against sums that the test makes by itself."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, timedelta
from typing import Any

import pytest

from tests.integration.queries.conftest import STAFF, Ask, ReadStore
from tests.integration.queries.documents import category, product, sales_day

COUNTS = ("orders", "units", "gross", "returned_units", "returned")


def figures(**counts: int) -> dict[str, Any]:
    full = {**dict.fromkeys(COUNTS, 0), **counts}

    def gbp(minor: int) -> dict[str, Any]:
        return {"amount_minor": minor, "currency": "GBP", "amount": f"{minor / 100:.2f}"}

    return {
        "orders": full["orders"],
        "units": full["units"],
        "gross": gbp(full["gross"]),
        "returned_units": full["returned_units"],
        "returned": gbp(full["returned"]),
        "net": gbp(full["gross"] - full["returned"]),
    }


def report(ask: Ask, **parameters: Any) -> dict[str, Any]:
    days = {"from": "2026-01-01", "to": "2026-12-31"}
    answer = ask("reports/sales", headers=STAFF, **{**days, **parameters})
    assert answer.status_code == 200, answer.content
    body: dict[str, Any] = answer.json()
    return body


def test_days_without_dimension(store: ReadStore, ask: Ask) -> None:
    store.put("sales_by_day", sales_day("2026-01-02", orders=2, units=5, gross=1000, returned=300, returned_units=1))
    store.put("sales_by_day", sales_day("2026-01-01", orders=1, units=1, gross=99), sales_day("2025-12-31", orders=9))
    store.put("sales_by_day", sales_day("2026-01-01", currency="EUR", orders=5, gross=7), sales_day("2026-01-03"))
    store.put("sales_by_day", sales_day("2026-01-01", "product", "MUG", orders=4))
    body = report(ask, to="2026-01-03")
    second = {"orders": 2, "units": 5, "gross": 1000, "returned": 300, "returned_units": 1}
    assert body["results"] == [
        {"period": "2026-01-01", "key": None, **figures(orders=1, units=1, gross=99)},
        {"period": "2026-01-02", "key": None, **figures(**second)},
    ]
    assert body["totals"] == figures(orders=3, units=6, gross=1099, returned=300, returned_units=1)
    assert body["results"][1]["net"]["amount"] == "7.00"
    assert report(ask, currency="EUR")["totals"]["gross"] == {"amount_minor": 7, "currency": "EUR", "amount": "0.07"}


def test_totals_count_an_order_once_though_it_has_two_products(store: ReadStore, ask: Ask) -> None:
    store.put("sales_by_day", sales_day("2026-01-02", orders=1, units=2, gross=300))
    for sku in ("B", "A"):
        store.put("sales_by_day", sales_day("2026-01-02", "product", sku, orders=1, units=1, gross=150))
    body = report(ask, by="product")
    assert [(row["key"], row["orders"]) for row in body["results"]] == [("A", 1), ("B", 1)]
    assert body["totals"] == figures(orders=1, units=2, gross=300)


@pytest.mark.parametrize(("interval", "first"), [("day", None), ("week", "weekday"), ("month", "day")])
@pytest.mark.parametrize("by", ["none", "product", "country"])
def test_any_range_equals_a_plain_sum(store: ReadStore, ask: Ask, interval: str, first: str | None, by: str) -> None:
    draw = random.Random(f"{interval}{by}")
    dimension, keys = ("total", [None]) if by == "none" else (by, ["a", "b", "unspecified"])
    documents = [
        sales_day(str(date(2025, 12, 20) + timedelta(days=n)), dimension, key, **{c: draw.randrange(9) for c in COUNTS})
        for n in range(0, 80, 3)
        for key in keys
    ]
    store.put("sales_by_day", *documents)
    expected: dict[tuple[str, str | None], dict[str, int]] = defaultdict(lambda: dict.fromkeys(COUNTS, 0))
    for document in documents:
        day = date.fromisoformat(document["day"])
        if date(2025, 12, 23) <= day <= date(2026, 2, 15):
            begins = {"day": day, "week": day - timedelta(days=day.weekday()), "month": day.replace(day=1)}[interval]
            for name in COUNTS:
                expected[str(begins), document["key"]][name] += document[name]
    body = report(ask, **{"from": "2025-12-23", "to": "2026-02-15", "interval": interval, "by": by})
    rows = sorted(expected.items(), key=lambda item: (item[0][0], item[0][1] or ""))
    assert body["results"] == [{"period": at, "key": key, **figures(**sums)} for (at, key), sums in rows]


def test_categories_are_shown_by_slug(store: ReadStore, ask: Ask) -> None:
    mugs = category("Mugs")
    store.put("categories", mugs)
    for key in (mugs["_id"], "uncategorised", "0198-not-there"):
        store.put("sales_by_day", sales_day("2026-02-03", "category", key, orders=1))
    rows = report(ask, by="category", interval="month")["results"]
    assert [(row["period"], row["key"]) for row in rows] == [
        ("2026-02-01", "0198-not-there"),
        ("2026-02-01", "mugs"),
        ("2026-02-01", "uncategorised"),
    ]


def test_best_sellers(store: ReadStore, ask: Ask) -> None:
    store.put("products", product("Mug", sku="MUG"), product("Hidden", sku="CUP", status="archived"))
    store.put("sales_by_day", sales_day("2026-01-01", "product", "MUG", orders=1, units=3, gross=100))
    store.put("sales_by_day", sales_day("2026-01-31", "product", "MUG", orders=1, units=2, gross=100, returned=50))
    store.put("sales_by_day", sales_day("2026-01-05", "product", "CUP", orders=1, units=5, gross=100))
    store.put("sales_by_day", sales_day("2026-01-05", "product", "POT", orders=1, units=1, gross=9_000))
    store.put("sales_by_day", sales_day("2026-01-05", "product", "BACK", returned_units=8, returned=1))
    store.put("sales_by_day", sales_day("2026-02-01", "product", "POT", units=100))
    days = {"from": "2026-01-01", "to": "2026-01-31"}
    rows = ask("reports/best-sellers", headers=STAFF, **days).json()["results"]
    assert [(row["sku"], row["name"], row["units"]) for row in rows] == [
        ("CUP", "Hidden", 5),
        ("MUG", "Mug", 5),
        ("POT", None, 1),
    ]
    assert rows[1]["net"]["amount_minor"] == 150
    by_money = ask("reports/best-sellers", headers=STAFF, by="gross", limit=1, **days).json()["results"]
    assert [row["sku"] for row in by_money] == ["POT"]


@pytest.mark.parametrize("path", ["reports/sales", "reports/best-sellers"])
@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"from": None}, "from"),
        ({"to": None}, "to"),
        ({"from": "2026-02-30"}, "from"),
        ({"from": "01/02/2026"}, "from"),
        ({"to": "2025-12-31"}, "to"),
        ({"from": "0001-01-01", "to": "9999-12-31"}, "to"),
        ({"by": "moon"}, "by"),
        ({"currency": "pounds"}, "currency"),
        ({"page": "1"}, "page"),
    ],
)
def test_wrong_parameters(ask: Ask, path: str, wrong: dict[str, str | None], named: str) -> None:
    asked = {"from": "2026-01-01", "to": "2026-01-31", **wrong}
    answer = ask(path, headers=STAFF, **{name: value for name, value in asked.items() if value is not None})
    assert answer.status_code == 400
    assert named in [error["parameter"] for error in answer.json()["errors"]]
    assert ask(path, headers=STAFF, **{"from": "9999-12-31", "to": "9999-12-31"}).status_code == 200
