"""Who sees which page, and what it says: projections, dead letters, requests; and when MongoDB is not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.admin.utils import quote
from django.contrib.auth.models import Permission
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from pymongo.database import Database

from projections.history.samples import take_samples
from projections.runtime.control import pause
from projections.runtime.letterbox import Selection
from projections.runtime.requests import ask_retry
from tests.integration.projections.admin.parked import carried_out, letter, park, running

Store = Database[dict[str, Any]]
PROJECTIONS = reverse("admin:projections_projection_changelist")
PRODUCTS = reverse("admin:projections_projection_change", args=["products"])
LETTERS = reverse("admin:projections_deadletter_changelist")
REQUESTS = reverse("admin:projections_operatorrequest_changelist")


def shown(client: Client, address: str, **parameters: Any) -> str:
    answer = client.get(address, parameters)
    assert answer.status_code == 200, (address, answer.status_code)
    return answer.content.decode()


def address_of(row: dict[str, Any]) -> str:
    return reverse("admin:projections_deadletter_change", args=[quote(row["_id"])])


@pytest.fixture
def addresses(store: Store) -> list[str]:
    """Every page, with something to show."""
    row = letter(7)
    park(store, row, letter(8))
    running(store)
    take_samples(store)
    asked = ask_retry(store, "products", Selection(letter=row["_id"]), by="somebody@acme.test")
    request = reverse("admin:projections_operatorrequest_change", args=[asked.id])
    return [PROJECTIONS, PRODUCTS, LETTERS, address_of(row), REQUESTS, request]


def test_the_models_are_there_for_permissions_and_have_no_table(db: None) -> None:
    call_command("makemigrations", "projections", check=True, dry_run=True, verbosity=0)
    assert not [name for name in connection.introspection.table_names() if name.startswith("projections_")]
    assert set(Permission.objects.filter(content_type__app_label="projections").values_list("codename", flat=True)) == {
        "view_projection",
        "control_projection",
        "view_deadletter",
        "retry_deadletter",
        "discard_deadletter",
    }


def test_those_who_may_look_see_every_page(
    boss: Client, operator: Client, onlooker: Client, addresses: list[str]
) -> None:
    for client in (boss, operator, onlooker):
        for address in addresses:
            assert "products" in shown(client, address)


def test_staff_without_permission_see_nothing(nobody: Client, addresses: list[str]) -> None:
    assert [nobody.get(address).status_code for address in addresses] == [403] * len(addresses)
    index = shown(nobody, "/admin/")
    assert PROJECTIONS not in index and LETTERS not in index and REQUESTS not in index


def test_strangers_are_sent_to_the_login(db: None, addresses: list[str]) -> None:
    for address in addresses:
        answer = Client().get(address)
        assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/admin/login/")


def test_the_index_names_the_pages(onlooker: Client) -> None:
    index = shown(onlooker, "/admin/")
    assert PROJECTIONS in index and LETTERS in index and REQUESTS in index
    assert f"{PROJECTIONS}add/" not in index


def test_the_list_says_how_each_projection_stands(onlooker: Client, store: Store) -> None:
    running(store, "products")
    running(store, "stock", ended=True)
    blocked = [{"topic": "acme.orders", "partition": 3, "kind": "gap", "why": "9 is missing", "since": None}]
    running(store, "orders", state="blocked", blocked=blocked)
    running(store, "carts")
    pause(store, "carts", by="ann@acme.test", reason="a <new> index")
    park(store, letter(1), letter(2))
    page = shown(onlooker, PROJECTIONS)
    rows = {part.partition("<")[0]: part for part in page.split('/change/">')[1:]}
    assert 'class="state running"' in rows["products"] and ">2</a>" in rows["products"]
    assert "120/s, catalog 0–7; inventory 0–7" in rows["products"].replace("\u2060", "")
    assert "shop-1:41 gives no sign of life" in rows["stock"] and 'class="state hanging"' in rows["stock"]
    assert "acme.orders[3] gap: 9 is missing" in rows["orders"]
    assert "by ann@acme.test: a &lt;new&gt; index" in rows["carts"] and 'class="state paused"' in rows["carts"]
    assert "no worker runs it" in rows["customers"] and "unknown" in rows["customers"]


def test_one_projection_shows_its_last_hour(onlooker: Client, store: Store) -> None:
    assert "There are no samples of the last hour" in shown(onlooker, PRODUCTS)
    running(store)
    assert take_samples(store) == 1
    page = shown(onlooker, PRODUCTS)
    assert page.count('<svg class="chart"') == page.count('class="line"') == 2
    assert 'aria-label="Lag in the last hour: at most 0 seconds, last known 0 seconds"' in page
    assert "0.0 s" in page and "<form" not in page.partition('id="content-main"')[2]


def test_an_unknown_projection_is_not_found(boss: Client, store: Store) -> None:
    for name in ("nothing", "products|1", "a" * 5000, "_00", "%00"):
        assert boss.get(reverse("admin:projections_projection_change", args=[name])).status_code == 404


def test_the_list_filters_by_fingerprint_and_state(onlooker: Client, store: Store) -> None:
    other = letter(3, fingerprint="ffffffffffff", error="KeyError: 'sku'", projection="stock")
    gone = letter(4, state="discarded", discarded_by="ann@acme.test", discarded_reason="x")
    park(store, letter(1), letter(2), other, gone)
    everything = shown(onlooker, LETTERS)
    assert everything.count("ValueError: no price") == 3 and everything.count("KeyError: &#x27;sku&#x27;") == 2
    assert "3 in all" in everything
    mine = shown(onlooker, LETTERS, fingerprint="ffffffffffff")
    assert "1 in all" in mine and "ValueError" not in mine
    assert "1 in all" in shown(onlooker, LETTERS, projection="products", state="discarded")
    assert "2 in all" in shown(onlooker, LETTERS, projection="products")
    assert "None that match the filter" in shown(onlooker, LETTERS, projection="orders")


def test_ten_thousand_letters_are_paged(onlooker: Client, store: Store) -> None:
    poison = uuid4()
    park(store, *(letter(n, aggregate=poison, held_by=None if n == 1 else 1) for n in range(1, 10_001)))
    page = shown(onlooker, LETTERS, page="150", projection="products")
    assert "7451 to 7500 of 10000" in page and page.count("waits behind 1<") == 50
    assert '<td class="number">1</td><td class="number">9999</td><td class="number">1</td>' in page


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"projection": "<script>"}, "Select a valid choice"),
        ({"state": "$gt"}, "Select a valid choice"),
        ({"fingerprint": "a", "aggregate": "b"}, "not by both"),
        ({"fingerprint": "x" * 2000}, "at most 1000 characters"),
        ({"fingerprint": "a\0b"}, "Null characters are not allowed"),
        ({"fingerprint[$ne]": "1"}, "1 in all"),
        ({"page": "-1"}, "1 in all"),
        ({"page": "many"}, "1 in all"),
        ({"fingerprint": '"><script>alert(1)</script>'}, "None that match the filter"),
    ],
)
def test_odd_filters_are_answered(onlooker: Client, store: Store, parameters: dict[str, str], said: str) -> None:
    park(store, letter(1))
    page = shown(onlooker, LETTERS, **parameters)
    assert said in page and "<script>" not in page.partition('id="content-main"')[2]


def test_a_letter_is_shown_whole_and_its_secrets_are_not(onlooker: Client, store: Store) -> None:
    poison = uuid4()
    row = letter(1, aggregate=poison, personal=True)
    park(store, row, letter(2, aggregate=poison, held_by=1), letter(3, aggregate=poison, held_by=1))
    page = shown(onlooker, address_of(row))
    assert "SKU-1" in page and "&lt;b&gt;bold&lt;/b&gt;" in page and "in reprice" in page and "ce_sequence" in page
    assert "sealed under the key of customer:1" in page and "c2VhbGVk" not in page
    assert "2 later events of the same aggregate" in page and "sequence 3" in page
    assert "<button" not in page.partition('id="content-main"')[2]  # onlookers may ask for nothing
    held = shown(onlooker, address_of(letter(3, aggregate=poison)))
    assert "it waits behind sequence 1" in held


def test_hostile_texts_are_escaped(operator: Client, store: Store) -> None:
    evil = '<script>alert("x")</script>'
    row = letter(1, error=evil, traceback=evil, event_type=evil, fingerprint='"><img src=x>')
    row["record"]["headers"].append(["<i>", evil.encode()])
    park(store, row)
    for address in (LETTERS, address_of(row), PRODUCTS):
        page = shown(operator, address).partition('id="content-main"')[2]
        assert "&lt;script&gt;" in page and "<script" not in page and "<img" not in page and "<i>" not in page


def test_a_record_that_is_no_event_shows_its_bytes(operator: Client, store: Store) -> None:
    row = letter(1) | dict.fromkeys(("sequence", "aggregate", "aggregate_version", "event_type", "event_id"))
    row["_id"] = "products|1|acme.catalog|0|offset:5@abcdef01"
    row["record"] = {"key": None, "value": b"\xff\x00", "headers": []}
    park(store, row)
    page = shown(operator, address_of(row))
    assert "ff00" in page and "A record that is no event in products" in page
    assert "no event</a>" in shown(operator, LETTERS)


def test_escaping_is_what_keeps_them_harmless(operator: Client, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The seeded defect: with a mark that says the text is safe, the test above would find the script."""
    park(store, letter(1, error="<script>"))
    monkeypatch.setattr("django.template.base.conditional_escape", lambda text: text)
    assert "<script>" in shown(operator, LETTERS).partition('id="content-main"')[2]


@pytest.mark.parametrize("key", ["nothing", "products|1|acme.catalog|0|99", "{$gt: 1}", "a" * 3000, "_00", "é|ü"])
def test_unknown_ids_lead_back_to_the_list(boss: Client, store: Store, key: str) -> None:
    for kind, back in (("deadletter", LETTERS), ("operatorrequest", REQUESTS)):
        answer = boss.get(reverse(f"admin:projections_{kind}_change", args=[quote(key)]), follow=True)
        assert answer.redirect_chain == [(back, 302)] and 'class="warning"' in answer.content.decode()


def test_letters_of_another_generation_cannot_be_asked_for(operator: Client, store: Store) -> None:
    row = letter(1)
    park(store, row)
    store["projection_pointers"].update_one({"_id": "products"}, {"$set": {"live": 2}})
    page = shown(operator, address_of(row))
    assert "generation 1, which is not live" in page and "<button" not in page.partition('id="content-main"')[2]
    assert "None" in shown(operator, LETTERS)


def test_requests_say_who_asked_what_and_what_came_of_it(onlooker: Client, store: Store) -> None:
    row, other = letter(1), letter(2)
    park(store, row, other)
    asked = ask_retry(store, "products", Selection(fingerprint=row["fingerprint"]), by="ann@acme.test")
    address = reverse("admin:projections_operatorrequest_change", args=[asked.id])
    assert 'http-equiv="refresh"' in shown(onlooker, address, follow=1)
    carried_out(store, asked.id, failing={other["_id"]})
    page = shown(onlooker, address, follow=1)
    assert "1 failed again" in page and "ann@acme.test" in page and 'http-equiv="refresh"' not in page
    assert "fingerprint a1b2c3d4e5f6" in shown(onlooker, REQUESTS)
    assert "left it: failed: ValueError: still no price" in shown(onlooker, address_of(other))


@pytest.mark.parametrize("path", [PROJECTIONS, PRODUCTS, LETTERS, REQUESTS, f"{LETTERS}x/change/"])
def test_without_mongodb_the_pages_say_so(
    boss: Client, point_mongodb: Callable[[str | None], None], gone: str, path: str
) -> None:
    point_mongodb(None)
    answer = boss.get(path)
    assert answer.status_code == 503 and "This process knows no MongoDB" in answer.content.decode()
    point_mongodb(f"mongodb://{gone}/acme?serverSelectionTimeoutMS=300")
    answer = boss.get(path)
    assert answer.status_code == 503 and "MongoDB cannot be reached just now" in answer.content.decode()
