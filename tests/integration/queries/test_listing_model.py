"""Any listing of products, page by page, equals the same question answered in plain Python."""

from __future__ import annotations

import random
from typing import Any

import pytest

from queries.search.analysis import terms
from tests.integration.queries.conftest import Ask, ReadStore
from tests.integration.queries.documents import category, product

WORDS = ("red", "blue", "mug", "plate")
SORTS = ("newest", "name", "-name", "price", "-price")


def price_of(document: dict[str, Any]) -> int | None:
    price: int | None = document["product"]["price_min"].get("GBP")
    return price


def answer(documents: list[dict[str, Any]], asked: dict[str, str], below: dict[str, set[str]]) -> list[str]:
    """The ids that the question should list, in order."""

    def wanted(document: dict[str, Any]) -> bool:
        section, price = document["product"], price_of(document)
        lowest, highest = float(asked.get("price_min", 0)) * 100, float(asked.get("price_max", 1e9)) * 100
        priced = "price" in asked["sort"] or "price_min" in asked or "price_max" in asked
        return (
            section["status"] == "published"
            and (not priced or (price is not None and lowest <= price <= highest))
            and ("category" not in asked or section["category_id"] in below[asked["category"]])
            and ("in_stock" not in asked or document["in_stock"] == (asked["in_stock"] == "true"))
            and set(terms([asked.get("q")])) <= set(section["words"])
        )

    keys = {"newest": lambda d: d["product"]["created_at"], "name": lambda d: d["product"]["name"], "price": price_of}
    key = keys[asked["sort"].lstrip("-")]
    descending = asked["sort"] in {"newest", "-name", "-price"}
    found = sorted(filter(wanted, documents), key=lambda document: (key(document), document["_id"]), reverse=descending)
    return [document["_id"] for document in found]


def question(draw: random.Random) -> dict[str, str]:
    """The sort and, each half of the time, every filter."""
    filters = {
        "price_min": str(draw.randrange(4)),
        "price_max": str(draw.randrange(3, 8)),
        "category": draw.choice(["home", "mugs"]),
        "in_stock": draw.choice(["true", "false"]),
        "q": " ".join(draw.sample(WORDS, draw.choice([1, 1, 2]))),
    }
    return {"sort": draw.choice(SORTS), **{name: value for name, value in filters.items() if draw.random() < 0.4}}


@pytest.mark.parametrize("seed", range(4))
def test_pages_equal_a_plain_filter(store: ReadStore, ask: Ask, seed: int) -> None:
    draw = random.Random(seed)
    home = category("Home")
    mugs = category("Mugs", parent_id=home["_id"])
    documents = [
        product(
            " ".join(draw.sample(WORDS, 2)),
            price=draw.choice([None, 0, 100, 300, 700]),
            pieces=draw.choice([0, 3]),
            category_id=draw.choice([None, home["_id"], mugs["_id"]]),
            status=draw.choice(["published", "published", "published", "draft"]),
            minutes=draw.randrange(4),
        )
        for _ in range(50)
    ]
    store.put("categories", home, mugs)
    store.put("products", *documents)
    below = {"home": {home["_id"], mugs["_id"]}, "mugs": {mugs["_id"]}}
    for _ in range(12):
        asked = question(draw)
        page = ask("products", limit="7", **asked).json()
        seen = page["results"]
        while page["next"]:
            page = ask(page["next"]).json()
            seen += page["results"]
        assert [entry["id"] for entry in seen] == answer(documents, asked, below), asked
