"""What an operator sees: states, lag and dead letters, at 80 columns and as JSON, with the exit codes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from bson import Binary

from tests.integration.projections.cli.conftest import Projector
from tests.integration.projections.cli.letters import (
    ERROR,
    FINGERPRINT,
    PRODUCTS,
    TOPIC,
    Store,
    open_products,
    park,
    price_set,
    work,
)

FIRST = PRODUCTS[0]


def test_a_healthy_projection_is_no_finding(store: Store, projector: Projector) -> None:
    open_products(store)
    shown = projector("status", "products")
    assert shown.code == 0 and "running" in shown.out and "parked" not in shown.out.partition("products")[2]
    (row,) = projector("status", "products", "--json").json["projections"]
    assert row["states"] == ["running"] and row["applied"] == 2 * (100 + 7 * 90)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ({"state": "hanging", "detail": "no turn for 40 s"}, "host-1:4711 hangs, end it; no turn for 40 s"),
        ({"state": "blocked", "detail": "acme.catalog[3]: nobody has 17"}, "acme.catalog[3]: nobody has 17"),
    ],
)
def test_a_worker_that_is_stuck_is_a_finding(
    state: dict[str, Any], said: str, store: Store, projector: Projector
) -> None:
    open_products(store, **state)
    shown = projector("status", "products")
    assert shown.code == 1 and state["state"] in shown.out
    assert said in " ".join(shown.out.split())


def test_nobody_who_works_on_it_is_a_finding_unless_it_is_paused_or_was_never_run(
    store: Store, projector: Projector
) -> None:
    open_products(store, worker=False)
    work(store, "products", lease_until=datetime.now(UTC) - timedelta(seconds=1))  # killed: its lease has ended
    shown = projector("status", "products")
    assert shown.code == 1 and "not running" in shown.out and "manage.py projector run products" in shown.out
    assert projector("status", "products", "--json").json["projections"][0]["states"] == ["not running"]
    assert projector("status", "carts").code == 0 and "never run" in projector("status", "carts").out
    assert projector("pause", "products").code == 0
    paused = projector("status", "products")
    assert paused.code == 0 and "not running" in paused.out and "paused" in paused.out


def test_status_and_lag_say_who_paused_and_why(store: Store, projector: Projector) -> None:
    open_products(store)
    assert projector("pause", "products", "--reason", "an [index] is built", "--by", "ana@ops").code == 0
    for command in ("status", "lag"):
        shown = " ".join(projector(command, "products").out.split())
        assert "paused" in shown and "ana@ops" in shown and "an [index] is built" in shown


def test_lag_that_nobody_knows_is_unknown(store: Store, projector: Projector) -> None:
    open_products(store, worker=False)
    store["stream_heads"].update_many({}, {"$set": {"seen_at": datetime.now(UTC) - timedelta(minutes=1)}})
    shown = projector("lag", "products", "--threshold", "3600")
    assert shown.code == 1 and "unknown" in shown.out and "not running" in shown.out


@pytest.mark.usefixtures("at_terminal")
@pytest.mark.parametrize("command", ["status", "lag"])
def test_tables_fit_into_80_columns(command: str, store: Store, projector: Projector) -> None:
    open_products(store)
    park(store, FIRST, 17)
    shown = projector(command)
    assert shown.width <= 80
    for name in ("sales_by_day", "categories", "positions"):
        assert name in shown.out


def test_lag_has_the_stages_and_a_threshold(store: Store, projector: Projector) -> None:
    open_products(store)
    (row,) = projector("lag", "products", "--json").json["projections"]
    assert (row["unnumbered"], row["unacknowledged"], row["unprojected"]) == (0, 0, 2 * 7 * 10)
    assert projector("lag", "products", "--threshold", "3600").code == 0
    assert projector("lag", "products", "--threshold", "0").code == 1


@pytest.mark.usefixtures("at_terminal")
def test_letters_are_listed_in_order_and_by_page(store: Store, projector: Projector) -> None:
    open_products(store)
    for number in (17, 18, 19):
        park(store, FIRST, number, version=number, held_by=17 if number > 17 else None)
    shown = projector("dlq", "list", "products", "--limit", "2")
    place = f"{TOPIC}/{price_set(FIRST, 1, 1).partition}"
    assert shown.code == 1 and shown.width <= 80
    assert f"{place}/17" in shown.out and f"{place}/18" in shown.out and f"{place}/19" not in shown.out
    assert "products: 1 to 2 of 3 letters; the next: --skip 2" in shown.out
    assert str(FIRST) in shown.out and FINGERPRINT in shown.out and "held behind 17" in shown.out
    assert "[bold]" in shown.out, "texts of others are no markup"
    (page,) = projector("dlq", "list", "products", "--skip", "2", "--json").json["projections"]
    assert page["total"] == 3 and [row["sequence"] for row in page["letters"]] == [19]


@pytest.mark.parametrize("which", [("--aggregate", str(FIRST)), ("--aggregate", f"product:{FIRST}")])
def test_letters_of_one_aggregate_by_either_name(which: tuple[str, str], store: Store, projector: Projector) -> None:
    open_products(store)
    park(store, FIRST, 17)
    park(store, PRODUCTS[1], 18)
    (page,) = projector("dlq", "list", "products", *which, "--json").json["projections"]
    assert [row["sequence"] for row in page["letters"]] == [17]


def test_discarded_letters_are_listed_apart_and_are_no_finding(store: Store, projector: Projector) -> None:
    open_products(store)
    gone = {"discarded_by": "ana", "discarded_reason": "a test", "discarded_at": datetime.now(UTC)}
    park(store, FIRST, 17, state="discarded", **gone)
    assert projector("dlq", "list", "products").code == 0
    shown = projector("dlq", "list", "products", "--state", "discarded")
    said = " ".join(shown.out.replace(str(FIRST), "").split())
    assert shown.code == 0 and "discarded by ana 0 s ago: a test" in said


@pytest.mark.usefixtures("at_terminal")
def test_one_letter_is_shown_whole(store: Store, projector: Projector) -> None:
    open_products(store)
    key = park(store, FIRST, 17)
    short = f"{TOPIC}/{price_set(FIRST, 1, 1).partition}/17"
    shown = projector("dlq", "show", "products", short)
    assert shown.code == 0 and shown.width <= 80
    for part in (key, "PriceSet", f"product:{FIRST}", ERROR, FINGERPRINT, "in price_set", "ce_type", '"sku": "MUG-1"'):
        assert part in shown.out, part
    letter = projector("dlq", "show", key, "--json").json
    assert letter["data"]["sku"] == "MUG-1" and letter["headers"]["ce_sequence"] == "17" and letter["attempts"] == 4


def test_control_characters_of_an_event_do_not_reach_the_terminal(store: Store, projector: Projector) -> None:
    open_products(store)
    record = {"key": b"k\x1b[2J", "value": Binary(b"\x1b]0;owned\x07"), "headers": [["x", b"\x9b2J"]]}
    nothing = {"sequence": None, "aggregate": None, "aggregate_version": None, "event_type": None}
    park(store, FIRST, 17, record=record, error="Undecodable: \x1b[31m", **nothing)
    for arguments in (("list",), ("stats",), ("show", f"products|1|{TOPIC}|{price_set(FIRST, 1, 1).partition}|17")):
        shown = projector("dlq", *arguments)
        assert "\\x1b" in shown.out and not set(shown.out) & {"\x1b", "\x07", "\x9b"}, arguments
    assert "1b5d303b" in projector("dlq", "show", "products", f"{TOPIC}/{price_set(FIRST, 1, 1).partition}/17").out


def test_a_letter_that_is_not_there(store: Store, projector: Projector) -> None:
    open_products(store)
    assert projector("dlq", "show", "products", f"{TOPIC}/3/99").code == 1
    assert projector("dlq", "show", "products").code == 2
    assert projector("dlq", "show", "products", "17").code == 2
    assert projector("dlq", "show", "products", f"orders|1|{TOPIC}|3|17").code == 2


@pytest.mark.usefixtures("at_terminal")
def test_statistics_by_fingerprint_and_open_requests(store: Store, projector: Projector) -> None:
    open_products(store)
    for number in (17, 18, 19):
        park(store, FIRST, number, version=number, held_by=17 if number > 17 else None)
    park(store, PRODUCTS[1], 30, fingerprint="aaaaaaaaaaaa", error="KeyError: 'price'")
    assert projector("dlq", "retry", "products", "--aggregate", str(PRODUCTS[1]), "--no-wait", "--by", "ana").code == 0
    shown = projector("dlq", "stats")
    assert shown.code == 1
    assert "retry of aggregate product:" in shown.out and "asked by ana" in shown.out and "0 of 1 tried" in shown.out
    assert max(map(len, shown.out.partition("Requests")[0].splitlines())) <= 80
    said = projector("dlq", "stats", "products", "--json").json
    first, second = said["fingerprints"]
    assert (first["fingerprint"], first["failing"], first["held"], first["aggregates"]) == (FINGERPRINT, 1, 2, 1)
    assert second["error"] == "KeyError: 'price'" and [row["by"] for row in said["requests"]] == ["ana"]


def test_no_letters_is_no_finding(store: Store, projector: Projector) -> None:
    open_products(store)
    assert projector("dlq", "list").code == projector("dlq", "stats").code == 0
    assert projector("dlq", "stats", "--json").json == {"fingerprints": [], "requests": []}
