"""A dry run in the admin: what a retry would come to, and nothing is written."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from django.contrib.admin.utils import quote
from django.test import Client
from django.urls import reverse
from pymongo.database import Database

from tests.integration.projections.admin.conftest import logged_in
from tests.integration.projections.cli.letters import FINGERPRINT, PRODUCTS, open_products, park

Store = Database[dict[str, Any]]
ADDRESS = reverse("admin:projections_deadletter_dry_run")
ALL = f"{ADDRESS}?{urlencode({'projection': 'products', 'fingerprint': FINGERPRINT})}"


@pytest.fixture
def before(store: Store) -> dict[str, Any]:
    """A product that exists with a letter for it and one behind, and a letter of a product that does not."""
    open_products(store)
    variant = {"variant_id": "00000000-0000-0000-0000-000000000005", "sku": "MUG-1", "prices": {"GBP": 1000}}
    document = {"_id": str(PRODUCTS[0]), "product": {"version": 16, "variants": [variant], "name": "Secret"}}
    store["products__g1"].insert_one(document)
    park(store, PRODUCTS[0], 17, version=17)
    park(store, PRODUCTS[0], 18, version=18, held_by=17)
    park(store, PRODUCTS[1], 19, version=3)
    return everything(store)


def everything(store: Store) -> dict[str, Any]:
    return {name: list(store[name].find().sort("_id", 1)) for name in sorted(store.list_collection_names())}


def test_it_says_what_would_be_applied_and_why_not(boss: Client, store: Store, before: dict[str, Any]) -> None:
    page = boss.get(ALL).content.decode()
    assert "2 of 3 letters would be applied" in page
    assert "1 document would change" in page
    assert "Those that would not be" in page and page.count("products|1|acme.catalog|") == 1
    assert "Secret" not in page
    assert everything(store) == before


def test_of_one_aggregate_and_of_nothing(boss: Client, store: Store, before: dict[str, Any]) -> None:
    named = {"projection": "products", "aggregate": f"product:{PRODUCTS[0]}"}
    assert "2 of 2 letters would be applied" in boss.get(ADDRESS, named).content.decode()
    gone = boss.get(ADDRESS, {"projection": "products", "fingerprint": "000000000000"}).content.decode()
    assert "No parked letters are meant by that any more" in gone
    assert boss.get(ADDRESS, {"projection": "products"}, follow=True).status_code == 200


def test_the_list_and_a_letter_lead_to_it(boss: Client, store: Store, before: dict[str, Any]) -> None:
    address = ALL.replace("&", "&amp;")
    assert address in boss.get(reverse("admin:projections_deadletter_changelist")).content.decode()
    key = next(iter(store["projection_dead_letters"].find({"sequence": 17})))["_id"]
    one = boss.get(reverse("admin:projections_deadletter_change", args=[quote(key)]))
    assert ADDRESS in one.content.decode()


def test_only_those_who_may_retry(onlooker: Client, nobody: Client, before: dict[str, Any]) -> None:
    assert [client.get(ALL).status_code for client in (onlooker, nobody)] == [403, 403]
    may = logged_in("retries@acme.test", "view_deadletter", "retry_deadletter", is_staff=True)
    assert may.get(ALL).status_code == 200
    assert may.post(ALL).status_code == 405
    assert "/admin/login/" in Client().get(ALL).headers["Location"]
